// What agents send, and the replies (PROTOCOL.md section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/message_parts.hpp"
#include "proto/server_state.hpp"
#include "proto/statement_messages.hpp"

namespace strongroom::proto {

// -------------------------------------------------------------------------------------------------

struct Register {
    static constexpr const char* type = "register";
    std::string server;
    std::string domain;
    std::string label;
    std::string version;
    std::string public_key;
    std::string subkey;
    std::vector<std::string> recovery;
    std::string code;
    std::string token_hash;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("domain", domain, short_text);
        f("label", label, short_text);
        f("version", version, short_text);
        f("public_key", public_key, key_text);
        f("subkey", subkey, fingerprint_text);
        f("recovery", recovery, Many<Text>{16, fingerprint_text});
        f("code", code, short_text);
        f("token_hash", token_hash, sha256_text);
    }
    struct Reply {
        std::string server;
        std::string owner;
        std::string owner_name;
        template <class Fields>
        void fields(Fields& f) {
            f("server", server, uuid_text);
            f("owner", owner, fingerprint_text);
            f("owner_name", owner_name, short_text);
        }
    };
};

struct JobOrder {
    std::string id;
    std::string kind;
    std::int64_t attempt = 0;
    std::int64_t lease_ms = 0;
    std::optional<std::string> schedule;
    std::optional<std::int64_t> slot;
    std::optional<std::string> group{};  // for this group: the host looks whether it is fit before it begins
    template <class Fields>
    void fields(Fields& f) {
        f("group", group, group_text);
        f("id", id, uuid_text);
        f("kind", kind, job_kind_text);
        f("attempt", attempt, Range{1, 100});
        f("lease_ms", lease_ms, Range{1000, 3'600'000});
        f("schedule", schedule, uuid_text);
        f("slot", slot, any_time);
    }
};

struct ScheduleOrder {
    std::string id;
    std::string kind;
    std::string cron;
    std::int64_t splay_s = 0;
    template <class Fields>
    void fields(Fields& f) {
        f("id", id, uuid_text);
        f("kind", kind, job_kind_text);
        f("cron", cron, short_text);
        f("splay_s", splay_s, Range{0, 86'400});
    }
};

// Somebody was given this server's escrow records: the host learns of it, whatever the user thinks of it.
struct EscrowFetched {
    std::int64_t time = 0;   // of the last one
    std::string by;          // the user's fingerprint
    std::int64_t count = 0;  // in 30 days
    template <class Fields>
    void fields(Fields& f) {
        f("time", time, any_time);
        f("by", by, fingerprint_text);
        f("count", count, any_size);
    }
};

// Of a job's problem: the host was not fit to be backed up for its group. Another may be, and this one later.
inline constexpr const char* unfit_stage = "member";

struct JobNext {
    static constexpr const char* type = "job.next";
    std::string version;
    template <class Fields>
    void fields(Fields& f) {
        f("version", version, short_text);
    }
    struct Reply {
        std::optional<JobOrder> job;
        std::vector<ScheduleOrder> schedules;
        std::optional<EscrowFetched> escrow_fetched{};
        std::optional<std::string> statement{};  // a user's, not answered yet (base64)
        template <class Fields>
        void fields(Fields& f) {
            f("job", job);
            f("schedules", schedules, Many<Nested>{100, {}});
            f("escrow_fetched", escrow_fetched);
            f("statement", statement, statement_text);
        }
    };
};

struct JobProgress {
    static constexpr const char* type = "job.progress";
    std::string job;
    std::int64_t attempt = 0;
    std::string stage;
    std::int64_t plain_bytes = 0;
    std::int64_t stored_bytes = 0;
    std::int64_t segments = 0;
    std::int64_t total_bytes = 0;
    std::optional<std::int64_t> rate{};     // plain bytes per second now
    std::optional<std::int64_t> retries{};  // of store operations, in this attempt
    template <class Fields>
    void fields(Fields& f) {
        f("job", job, uuid_text);
        f("attempt", attempt, Range{1, 100});
        f("stage", stage, short_text);
        f("plain_bytes", plain_bytes, any_size);
        f("stored_bytes", stored_bytes, any_size);
        f("segments", segments, any_size);
        f("total_bytes", total_bytes, any_size);
        f("rate", rate, any_size);
        f("retries", retries, any_size);
    }
    struct Reply {
        std::int64_t lease_ms = 0;
        bool cancel = false;
        template <class Fields>
        void fields(Fields& f) {
            f("lease_ms", lease_ms, Range{1000, 3'600'000});
            f("cancel", cancel);
        }
    };
};

struct JobFinished {
    static constexpr const char* type = "job.finished";
    std::string job;
    std::int64_t attempt = 0;
    std::string outcome;
    std::optional<Problem> problem;
    std::optional<Backup> backup;
    std::optional<SetProof> proof{};
    template <class Fields>
    void fields(Fields& f) {
        f("job", job, uuid_text);
        f("attempt", attempt, Range{1, 100});
        f("outcome", outcome, outcome_text);
        f("problem", problem);
        f("backup", backup);
        f("proof", proof);
    }
    using Reply = Empty;
};

struct EscrowDeposit {
    static constexpr const char* type = "escrow.deposit";
    std::string subkey;
    std::string record;  // base64
    std::vector<std::string> recipients;
    std::optional<std::string> public_key{};          // armored, once a rotation has changed it
    std::optional<std::int64_t> recovery_sequence{};  // changes of the recovery keys so far; none: 0
    template <class Fields>
    void fields(Fields& f) {
        f("subkey", subkey, fingerprint_text);
        f("record", record, record_text);
        f("recipients", recipients, Many<Text>{16, fingerprint_text});
        f("public_key", public_key, key_text);
        f("recovery_sequence", recovery_sequence, Range{0, INT64_C(1) << 40});
    }
    struct Reply {
        std::string sha256;
        template <class Fields>
        void fields(Fields& f) {
            f("sha256", sha256, sha256_text);
        }
    };
};

// A change of the agent's identity key: a proposal without an approval, the change itself with it. Signed by
// the identity key that the dispatcher knows.
struct IdentityChangeNews {
    static constexpr const char* type = "identity.change";
    std::string current;                      // base64: the statement, signed by the key in use
    std::string next;                         // and by the new one
    std::optional<std::string> approval;      // and by a recovery key
    std::optional<std::string> approver_key;  // that recovery key, armored
    template <class Fields>
    void fields(Fields& f) {
        f("current", current, identity_text);
        f("next", next, identity_text);
        f("approval", approval, identity_text);
        f("approver_key", approver_key, key_text);
    }
    struct Reply {
        std::string state;  // pending, changed
        template <class Fields>
        void fields(Fields& f) {
            f("state", state, identity_state_text);
        }
    };
};

struct AgentReport {
    static constexpr const char* type = "agent.report";
    std::string version;
    std::string label;
    std::string source;
    std::string store;
    std::optional<std::string> server_version;
    std::vector<Backup> backups;
    std::vector<std::string> refusals;
    std::optional<std::vector<std::string>> removed;  // sets that this agent pruned
    std::optional<std::vector<SetProof>> proofs{};
    std::optional<ServerState> state{};
    // Identity keys of the hosts that this one's sets open for besides itself, as it has pinned them: all of
    // them. Only what they say of its sets counts.
    std::optional<std::vector<std::string>> verifiers{};
    // It sends proofs that the reply leaves for later again; to an agent that does not, no reply names any.
    std::optional<bool> sends_again{};
    template <class Fields>
    void fields(Fields& f) {
        f("version", version, short_text);
        f("label", label, short_text);
        f("source", source, short_text);
        f("store", store, short_text);
        f("server_version", server_version, short_text);
        f("backups", backups, Many<Nested>{100, {}});
        f("refusals", refusals, Many<Text>{100, long_text});
        f("removed", removed, Many<Text>{max_list, set_id_text});
        f("proofs", proofs, Many<Nested>{100, {}});
        f("state", state);
        f("verifiers", verifiers, Many<Text>{max_verifiers, fingerprint_text});
        f("sends_again", sends_again);
    }
    struct Reply {
        // Not taken, and taken later perhaps: the set is not reported yet, or its server does not name the
        // host yet that proved it.
        std::optional<std::vector<ProofOf>> not_yet{};
        template <class Fields>
        void fields(Fields& f) {
            f("not_yet", not_yet, Many<Nested>{100, {}});
        }
    };
};

}  // namespace strongroom::proto
