// Limits and objects that several messages share (PROTOCOL.md section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/json_fields.hpp"
#include "common/identity/identity_change.hpp"

namespace strongroom::proto {

// Limits shared by several messages.
inline constexpr Text short_text{256};
inline constexpr Text long_text{2000, nullptr, "text", true};
inline constexpr Text key_text{64U << 10U, nullptr, "text", true};
inline constexpr std::size_t max_record = 128U << 10U;        // an escrow record, bytes
inline constexpr Text record_text{(max_record + 2) / 3 * 4};  // its base64
// A statement about an identity key (common/identity), in base64.
inline constexpr Text identity_text{(max_identity_statement + 2) / 3 * 4};
inline constexpr std::size_t max_list = 1000;
inline constexpr Range limit_range{1, static_cast<std::int64_t>(max_list)};
const std::vector<std::string>& job_kinds();  // all that the protocol has
bool is_job_kind(std::string_view text);
// Those that end with a backup set: "backup" makes a full one, "incremental" an increment where it can.
bool is_backup_kind(std::string_view kind);
bool is_job_state(std::string_view text);  // queued, leased, ...
bool is_token(std::string_view text);      // 64 lower-case hexadecimal digits
extern const Text job_kind_text;
extern const Text job_state_text;
extern const Text set_kind_text;        // full, incremental
extern const Text outcome_text;         // succeeded, failed
extern const Text identity_state_text;  // pending, changed

struct Empty {
    template <class Fields>
    void fields(Fields&) {}
};

struct Problem {
    std::string kind;   // name of an ErrorKind
    std::string stage;  // "source", "store", ... or empty
    std::string text;
    std::string hint;
    template <class Fields>
    void fields(Fields& f) {
        f("kind", kind, short_text);
        f("stage", stage, short_text);
        f("text", text, long_text);
        f("hint", hint, long_text);
    }
};

inline constexpr std::size_t max_verifiers = 16;  // hosts that may prove the sets of one server

// What came of proving one set by restoring it.
struct SetProof {
    std::string set;
    std::int64_t time = 0;
    bool proven = false;
    std::string text;  // what was counted, or which step failed; names no schema, table or value
    // From an agent that verifies for others: whose set it is; none: its own. Not to a user.
    std::optional<std::string> server{};
    // To a user: the server whose agent proved it; none: the set's own. Not from an agent.
    std::optional<std::string> by{};
    template <class Fields>
    void fields(Fields& f) {
        f("set", set, set_id_text);
        f("time", time, any_time);
        f("proven", proven);
        f("text", text, long_text);
        f("server", server, uuid_text);
        f("by", by, uuid_text);
    }
};

// Which proof an agent sent.
struct ProofOf {
    std::string set;
    std::optional<std::string> server{};
    template <class Fields>
    void fields(Fields& f) {
        f("set", set, set_id_text);
        f("server", server, uuid_text);
    }
};

struct Backup {
    std::string set;
    std::string kind = "full";
    std::int64_t created = 0;
    std::int64_t finished = 0;
    std::int64_t plain_bytes = 0;
    std::int64_t stored_bytes = 0;
    std::int64_t segments = 0;
    std::string source;
    std::optional<std::string> server_version;
    std::string store;
    std::optional<std::string> schedule;
    std::optional<std::int64_t> slot;
    std::optional<SetProof> proof{};  // the last one, as the dispatcher knows it; not from an agent
    template <class Fields>
    void fields(Fields& f) {
        f("set", set, set_id_text);
        f("kind", kind, set_kind_text);
        f("created", created, any_time);
        f("finished", finished, any_time);
        f("plain_bytes", plain_bytes, any_size);
        f("stored_bytes", stored_bytes, any_size);
        f("segments", segments, any_size);
        f("source", source, short_text);
        f("server_version", server_version, short_text);
        f("store", store, short_text);
        f("schedule", schedule, uuid_text);
        f("slot", slot, any_time);
        f("proof", proof);
    }
};

}  // namespace strongroom::proto
