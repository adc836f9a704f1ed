// Signed statements of a user on their way to a server's agent (PROTOCOL.md, sections 4 and 7). The
// dispatcher only carries them: what one may do rests on the signature inside, which the agent verifies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/message_parts.hpp"
#include "proto/statement.hpp"

namespace strongroom::proto {

inline constexpr std::size_t max_statement = 384U << 10U;           // bytes
inline constexpr Text statement_text{(max_statement + 2) / 3 * 4};  // its base64
extern const Text statement_state_text;                             // pending, applied, refused, replaced
extern const Text statement_outcome_text;                           // applied, refused

// What a server's recovery keys shall be: signed by one of those that are pinned on its host.
struct RecoveryKeysStatement {
    static constexpr const char* format = "strongroom-recovery-keys";
    static constexpr std::int64_t version = 1;
    static constexpr std::size_t max_json = max_statement - statement_overhead;
    std::string server;
    std::int64_t sequence = 0;          // of the change that it makes: one more than the host is at
    std::vector<std::string> previous;  // fingerprints that are pinned before
    std::vector<std::string> recovery;  // all that are pinned after it
    std::vector<std::string> keys;      // armored: those of `recovery` that the host does not know, or newer
    std::int64_t made = 0;
    std::int64_t expires = 0;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("sequence", sequence, Range{1, INT64_C(1) << 40});
        f("previous", previous, Many<Text>{16, fingerprint_text});
        f("recovery", recovery, Many<Text>{16, fingerprint_text});
        f("keys", keys, Many<Text>{16, key_text});
        f("made", made, any_time);
        f("expires", expires, any_time);
    }
};

struct StatementSend {
    static constexpr const char* type = "statement.send";
    std::string server;
    std::string statement;  // base64
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("statement", statement, statement_text);
    }
    struct Reply {
        std::string sha256;  // of the statement: its name from here on
        template <class Fields>
        void fields(Fields& f) {
            f("sha256", sha256, sha256_text);
        }
    };
};

struct SentStatement {
    std::string sha256;
    std::string sender;  // the user who sent it; who signed it is not the dispatcher's to say
    std::int64_t sent = 0;
    std::string state;
    std::optional<std::int64_t> ended;
    std::optional<std::string> text;  // the agent's answer
    template <class Fields>
    void fields(Fields& f) {
        f("sha256", sha256, sha256_text);
        f("sender", sender, fingerprint_text);
        f("sent", sent, any_time);
        f("state", state, statement_state_text);
        f("ended", ended, any_time);
        f("text", text, long_text);
    }
};

struct StatementList {
    static constexpr const char* type = "statement.list";
    std::string server;
    std::int64_t limit = 50;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("limit", limit, limit_range);
    }
    struct Reply {
        std::vector<SentStatement> statements;  // newest first
        template <class Fields>
        void fields(Fields& f) {
            f("statements", statements, Many<Nested>{max_list, {}});
        }
    };
};

// What a server's agent told of its identity keys: changes by sequence, then the pending one, if there is
// one. Nothing of it is to be believed: each reader follows from the key that it knows (common/identity).
struct IdentityList {
    static constexpr const char* type = "identity.list";
    std::string server;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
    }
    struct Change {
        std::string current;  // base64
        std::string next;
        std::optional<std::string> approval;  // none: pending
        std::optional<std::string> approver_key;
        std::int64_t told = 0;  // when the agent told of it
        template <class Fields>
        void fields(Fields& f) {
            f("current", current, identity_text);
            f("next", next, identity_text);
            f("approval", approval, identity_text);
            f("approver_key", approver_key, key_text);
            f("told", told, any_time);
        }
    };
    struct Reply {
        std::vector<std::string> keys;  // public keys of former identities
        std::vector<Change> changes;
        template <class Fields>
        void fields(Fields& f) {
            f("keys", keys, Many<Text>{static_cast<std::size_t>(max_identity_changes), key_text});
            f("changes", changes, Many<Nested>{static_cast<std::size_t>(max_identity_changes) + 1, {}});
        }
    };
};

struct StatementAnswer {
    static constexpr const char* type = "statement.answer";
    std::string sha256;
    std::string outcome;
    std::string text;
    template <class Fields>
    void fields(Fields& f) {
        f("sha256", sha256, sha256_text);
        f("outcome", outcome, statement_outcome_text);
        f("text", text, long_text);
    }
    using Reply = Empty;
};

}  // namespace strongroom::proto
