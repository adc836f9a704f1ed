#include "proto/dispatcher_pins.hpp"

#include <algorithm>
#include <list>
#include <system_error>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/file_lock.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "proto/dispatcher_key.hpp"

namespace strongroom::proto {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t max_file = 64U << 20U;

Error refused(const std::string& text) {
    return Error(ErrorKind::refused, "the dispatcher's chain of keys is refused: " + text,
                 "Nothing was pinned. Ask its operator (strongroom-dispatcher key list) before you trust any "
                 "other key.");
}

// What a statement says, before its signature is looked at.
KeyStatement claim_of(const std::string& text) {
    const Bytes json = gpg::read_unverified(from_base64(text), KeyStatement::max_json);
    return from_json<KeyStatement>(
        statement_detail::content(json, KeyStatement::format, KeyStatement::version, KeyStatement::max_json));
}

// What must hold for a statement that continues the chain at `signer`.
KeyStatement verified(const std::string& text, const Party& signer, const std::optional<std::int64_t>& last) {
    const auto statement = open_statement<KeyStatement>(from_base64(text), signer);
    if (statement.current != signer.fingerprint)
        throw Error(ErrorKind::protocol, "it speaks for another key than its signer");
    if (last && statement.sequence != *last + 1)
        throw Error(ErrorKind::protocol, "its number is " + std::to_string(statement.sequence) + " after " +
                                             std::to_string(*last));
    return statement;
}

}  // namespace

DispatcherPins::DispatcherPins(fs::path file, fs::path homes)
    : file_(std::move(file)), homes_(std::move(homes)) {
    load();
}

DispatcherPins::DispatcherPins(Party only) : current_(std::move(only)) {
    kept_.root.fingerprint = current_->fingerprint;
}

void DispatcherPins::load() {
    PinnedKeys kept;
    if (fs::exists(fs::symlink_status(file_))) {
        require_private_file(file_);
        try {
            kept = from_json<PinnedKeys>(parse_json(read_file(file_, max_file), max_file));
        } catch (const Error& error) {
            throw Error(ErrorKind::corrupt,
                        "the dispatcher's pinned keys are damaged: " + file_.string() + ": " + error.text(),
                        "Restore the file from a backup. Without it, only the key that is compiled into this "
                        "program is trusted: remove the file to begin with that again.");
        }
    } else {
        kept.root = {compiled_in_fingerprint(), std::string(compiled_in_dispatcher_key())};
    }
    use(std::move(kept));
}

// The file is ours and private: what it holds was verified before it was written.
void DispatcherPins::use(PinnedKeys kept) {
    std::vector<Link> links;
    for (const auto& text : kept.statements) links.push_back({claim_of(text), text});
    const auto party_at = [&](std::size_t index) {  // 0: the root
        return index == 0 ? party(kept.root.fingerprint, kept.root.public_key)
                          : party(links[index - 1].content.next, links[index - 1].content.public_key);
    };
    const std::size_t newest = links.size();
    const bool two = newest > 0 && !kept.switched;
    current_.emplace(party_at(two ? newest - 1 : newest));
    next_.reset();
    if (two) next_.emplace(party_at(newest));
    kept_ = std::move(kept);
    links_ = std::move(links);
}

Party DispatcherPins::party(const std::string& fingerprint, const std::string& public_key) const {
    const fs::path folder = homes_ / fingerprint;
    if (!fs::exists(folder)) {
        // Complete or missing: made under another name, then renamed.
        make_private_dir(homes_);
        const TempDir making(homes_, ".m");
        const fs::path home = making.path() / "h";
        gpg::import_public_key(gpg::Home::create(home, gpg::HomeFor::public_keys), public_key, fingerprint);
        std::error_code failure;
        fs::rename(home, folder, failure);
        if (failure && !fs::exists(folder))  // another process may have been faster
            throw Error(ErrorKind::storage, "cannot make " + folder.string() + ": " + failure.message());
        sync_dir(homes_);
    }
    return {gpg::Home::use(folder), fingerprint};
}

const Party* DispatcherPins::accepted(const std::string& fingerprint) const {
    if (current_->fingerprint == fingerprint) return &*current_;
    return next_ && next_->fingerprint == fingerprint ? &*next_ : nullptr;
}

bool DispatcherPins::contains(const std::string& fingerprint) const {
    return kept_.root.fingerprint == fingerprint ||
           std::ranges::any_of(links_, [&](const Link& link) { return link.content.next == fingerprint; });
}

const std::string& DispatcherPins::from() const {
    return links_.empty() ? kept_.root.fingerprint : links_.back().content.current;
}

// What another process did meanwhile is read first; `change` says whether there is something to write.
template <class Change>
bool DispatcherPins::change(const Change& change) {
    make_private_dir(file_.parent_path());
    const FileLock lock = FileLock::take(file_.string() + ".lock");
    load();
    PinnedKeys kept = kept_;
    if (!change(kept)) return false;
    write_file_atomic(file_, to_json(kept).dump(1) + "\n");
    use(std::move(kept));
    return true;
}

bool DispatcherPins::follow(const std::vector<std::string>& statements) {
    if (!can_follow()) return false;
    const std::string asked = from();
    return change([&](PinnedKeys& kept) {
        if (from() != asked) return true;  // another process was faster; what it wrote is in use now
        auto begin = statements.begin();
        if (!links_.empty()) {
            const Link& last = links_.back();
            if (begin == statements.end())
                throw refused("it ends before the pinned statement " + std::to_string(last.content.sequence) +
                              " (a rollback)");
            KeyStatement first;
            try {
                first = claim_of(*begin);
            } catch (const Error& error) {
                throw refused("not a statement: " + error.text());
            }
            if (first.current != last.content.current || first.next != last.content.next ||
                first.sequence != last.content.sequence)
                throw refused("statement " + std::to_string(first.sequence) + " says that after " +
                              group_fingerprint(first.current) + " comes " + group_fingerprint(first.next) +
                              "; pinned is " + group_fingerprint(last.content.next) + " (a fork)");
            ++begin;
        }
        if (begin == statements.end()) return false;
        std::optional<std::int64_t> sequence;
        if (!links_.empty()) sequence = links_.back().content.sequence;
        Party signer = next_ ? *next_ : *current_;
        std::list<gpg::TempHome> homes;  // of the keys on the way: what is refused leaves nothing behind
        std::vector<std::string> seen{kept.root.fingerprint};
        for (const auto& link : links_) seen.push_back(link.content.next);
        for (; begin != statements.end(); ++begin) {
            try {
                const KeyStatement statement = verified(*begin, signer, sequence);
                if (std::ranges::find(seen, statement.next) != seen.end())
                    throw Error(ErrorKind::protocol, "it names a key that the chain had before");
                seen.push_back(statement.next);
                sequence = statement.sequence;
                const gpg::Home& home = homes.emplace_back(gpg::HomeFor::public_keys).home();
                gpg::import_public_key(home, statement.public_key, statement.next);
                signer = {home, statement.next};
            } catch (const Error& error) {
                if (error.kind() == ErrorKind::storage) throw;
                throw refused("the statement after the key " + group_fingerprint(signer.fingerprint) +
                              " does not hold: " + error.text());
            }
            kept.statements.push_back(*begin);
        }
        kept.switched = false;
        return true;
    });
}

void DispatcherPins::at_work(const std::string& fingerprint) {
    if (!next_ || next_->fingerprint != fingerprint) return;
    change([&](PinnedKeys& kept) {
        if (!next_ || next_->fingerprint != fingerprint) return false;
        kept.switched = true;
        return true;
    });
}

void DispatcherPins::save() const {
    make_private_dir(file_.parent_path());
    write_file_atomic(file_, to_json(kept_).dump(1) + "\n");
}

}  // namespace strongroom::proto
