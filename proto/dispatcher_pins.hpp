// Which keys an agent or a client takes for the dispatcher's: the compiled-in one is the root, and each later
// one is vouched for by a statement that the key before it signed (S6). Accepted are exactly the current key
// and, once a statement names it, the next one; a key whose successor was seen at work is accepted no more.
//
// The chain is kept in one private file, which is replaced as a whole, durably, before anything that it
// allows is done. Commands and a daemon may use the same file at the same time. One object is not shared
// between threads.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "proto/key_statement.hpp"
#include "proto/sealed.hpp"

namespace strongroom::proto {

// The chain's file.
struct PinnedKeys {
    struct Key {
        std::string fingerprint;
        std::string public_key;
        template <class Fields>
        void fields(Fields& f) {
            f("fingerprint", fingerprint, fingerprint_text);
            f("public_key", public_key, Text{64U << 10U, nullptr, "text", true});
        }
    };
    std::int64_t version = 1;
    Key root;                             // compiled in when this chain began
    std::vector<std::string> statements;  // base64, each verified before it came here
    bool switched = false;                // the key of the last statement was seen at work
    template <class Fields>
    void fields(Fields& f) {
        f("version", version, Range{1, 1});
        f("root", root);
        f("statements", statements, Many<Text>{1000, Text{(max_key_statement + 2) / 3 * 4}});
        f("switched", switched);
    }
};

class DispatcherPins {
  public:
    // `file`: the chain; missing: the compiled-in key alone, until save() or the first statement. `homes`: a
    // folder in which each accepted key gets a home of its own. Throws Error{insecure_file}, Error{corrupt}.
    DispatcherPins(std::filesystem::path file, std::filesystem::path homes);

    // One key and no other, for ever; nothing is kept.
    explicit DispatcherPins(Party only);

    const Party& current() const { return *current_; }
    // The key that a statement of the current one names and that was not seen at work yet, or nullptr.
    const Party* next() const { return next_ ? &*next_ : nullptr; }
    // The accepted party with this fingerprint, or nullptr.
    const Party* accepted(const std::string& fingerprint) const;
    const std::string& newest() const { return (next_ ? *next_ : *current_).fingerprint; }
    const std::string& root() const { return kept_.root.fingerprint; }
    bool contains(const std::string& fingerprint) const;  // anywhere in the chain
    bool can_follow() const { return !file_.empty(); }

    // Whose statement, and those after it, are to be asked for: the last one that is known comes first, so
    // that a chain which is not the pinned one shows.
    const std::string& from() const;

    // Takes what continues the chain from `from()`. True if there was something new. Nothing is taken, and
    // Error{refused} says why, if a statement is not signed by the key before it, leaves a gap, contradicts a
    // pinned one (a fork), lacks the pinned ones (a rollback), or names a key that cannot be used: not
    // exactly one public key, secret parts, expired, without encryption, or one that the chain had before.
    bool follow(const std::vector<std::string>& statements);

    // A verified reply was signed by this accepted key: if it is the next one, the one before it ends.
    void at_work(const std::string& fingerprint);

    // Writes the file even if nothing but the root is in it.
    void save() const;

  private:
    struct Link {
        KeyStatement content;
        std::string text;  // base64
    };
    void load();
    void use(PinnedKeys kept);
    template <class Change>
    bool change(const Change& change);
    Party party(const std::string& fingerprint, const std::string& public_key) const;

    std::filesystem::path file_;
    std::filesystem::path homes_;
    PinnedKeys kept_;
    std::vector<Link> links_;
    std::optional<Party> current_;
    std::optional<Party> next_;
};

}  // namespace strongroom::proto
