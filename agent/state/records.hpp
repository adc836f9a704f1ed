// What the agent remembers between runs, as strict JSON files in its state folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/state/escrow_records.hpp"
#include "common/base/json_fields.hpp"
#include "common/identity/identity_change.hpp"
#include "proto/messages.hpp"

namespace strongroom::agent {

// agent.json: who this agent is. Written once, by a successful registration, as its last step.
struct AgentRecord {
    std::string server;  // UUID
    std::string domain;
    std::string identity;        // fingerprint of the identity key; in the file: of the first one
    std::string subkey;          // fingerprint of the decryption subkey in use; in the file: of the first one
    std::string dispatcher;      // URL
    std::string dispatcher_key;  // fingerprint that was compiled in at registration
    std::string owner;           // user fingerprint, as the dispatcher said
    std::string owner_name;
    std::vector<std::string> recovery;  // pinned recovery keys; in the file: those of the registration
    std::int64_t registered = 0;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("domain", domain, Text{256});
        f("identity", identity, fingerprint_text);
        f("subkey", subkey, fingerprint_text);
        f("dispatcher", dispatcher, Text{500});
        f("dispatcher_key", dispatcher_key, fingerprint_text);
        f("owner", owner, fingerprint_text);
        f("owner_name", owner_name, Text{256});
        f("recovery", recovery, Many<Text>{16, fingerprint_text});
        f("registered", registered, any_time);
    }
};

// keys.json: the decryption subkeys of this host and a rotation that is under way. Missing until the first
// rotation: then the only subkey is the one in agent.json. agent/rotation/rotation.hpp says what each step
// means; every change of it is one atomic write.
struct KnownSubkey {
    std::string fingerprint;
    std::int64_t number = 0;  // 1, 2, ...
    std::int64_t since = 0;   // when it came into use
    std::optional<std::int64_t> retired;
    template <class Fields>
    void fields(Fields& f) {
        f("fingerprint", fingerprint, fingerprint_text);
        f("number", number, Range{1, 1'000'000});
        f("since", since, any_time);
        f("retired", retired, any_time);
    }
};
struct RotationState {
    std::string step;                   // "make", "escrow", "rewrap"
    std::optional<std::string> subkey;  // the new one, once it is known
    std::optional<std::string> job;     // of the dispatcher, that began it
    std::int64_t started = 0;
    std::optional<bool> resign{};  // after a change of the identity key: manifests are signed anew, too
    template <class Fields>
    void fields(Fields& f) {
        f("resign", resign);
        f("step", step, Text{16});
        f("subkey", subkey, fingerprint_text);
        f("job", job, uuid_text);
        f("started", started, any_time);
    }
};
// A re-encryption that is under way (agent/rotation/reencryption.hpp).
struct ReencryptState {
    std::int64_t started = 0;
    std::optional<std::int64_t>
        before;  // sets whose passphrase is older are written anew; none: until the switch
    template <class Fields>
    void fields(Fields& f) {
        f("started", started, any_time);
        f("before", before, any_time);
    }
};
// The identity keys of this host, and a change of them that is under way
// (agent/rotation/identity_change.hpp).
struct KnownIdentity {
    std::string fingerprint;
    std::int64_t since = 0;             // when it came into use
    std::optional<std::int64_t> until;  // of a former one: it signed no set that was begun later
    template <class Fields>
    void fields(Fields& f) {
        f("fingerprint", fingerprint, fingerprint_text);
        f("since", since, any_time);
        f("until", until, any_time);
    }
};
struct KeptIdentityChange {  // base64, but for the key
    std::int64_t sequence = 0;
    std::string current;
    std::string next;
    std::optional<std::string> approval;
    std::optional<std::string> approver_key;
    bool told = false;  // the dispatcher took it
    template <class Fields>
    void fields(Fields& f) {
        constexpr Text part{(max_identity_statement + 2) / 3 * 4};
        f("sequence", sequence, Range{1, max_identity_changes});
        f("current", current, part);
        f("next", next, part);
        f("approval", approval, part);
        f("approver_key", approver_key, Text{64U << 10U, nullptr, "text", true});
        f("told", told);
    }
};
struct IdentityChangeState {
    std::string step;  // "pending", "approved"
    std::string next;  // fingerprint of the new key
    std::int64_t made = 0;
    std::int64_t expires = 0;
    KeptIdentityChange change;
    template <class Fields>
    void fields(Fields& f) {
        f("step", step, Text{16});
        f("next", next, fingerprint_text);
        f("made", made, any_time);
        f("expires", expires, any_time);
        f("change", change);
    }
};
struct KeyState {
    std::vector<KnownSubkey> subkeys;  // by number; the last one is in use
    std::optional<RotationState> rotation;
    std::optional<std::int64_t> last_started;  // of the last rotation that was finished
    std::optional<std::string> last_job;       // its job
    std::optional<ReencryptState> reencrypt;
    std::optional<std::vector<KnownIdentity>> identities;  // the last one is in use; none: that of agent.json
    std::optional<std::vector<KeptIdentityChange>> identity_changes;  // that were made, by sequence
    std::optional<IdentityChangeState> identity_change;               // under way
    template <class Fields>
    void fields(Fields& f) {
        f("subkeys", subkeys, Many<Nested>{10'000, {}});
        f("rotation", rotation);
        f("reencrypt", reencrypt);
        f("last_started", last_started, any_time);
        f("last_job", last_job, uuid_text);
        f("identities", identities, Many<Nested>{static_cast<std::size_t>(max_identity_changes) + 1, {}});
        f("identity_changes", identity_changes,
          Many<Nested>{static_cast<std::size_t>(max_identity_changes), {}});
        f("identity_change", identity_change);
    }

    const KnownSubkey& current() const { return subkeys.back(); }
    bool knows(const std::string& fingerprint) const;
};

// schedule.json: what the dispatcher last ordered under its signature, and when this agent first saw it.
struct KnownSchedule {
    proto::ScheduleOrder order;
    std::int64_t since = 0;
    std::optional<std::int64_t> ordered;  // the newest slot that the dispatcher ordered, whatever came of it
    template <class Fields>
    void fields(Fields& f) {
        f("order", order);
        f("since", since, any_time);
        f("ordered", ordered, any_time);
    }
};
struct ScheduleState {
    std::vector<KnownSchedule> schedules;
    template <class Fields>
    void fields(Fields& f) {
        f("schedules", schedules, Many<Nested>{100, {}});
    }
};

// runs.json: backups that were committed, oldest first, and what the dispatcher has yet to hear.
struct Run {
    proto::Backup backup;
    std::optional<std::string> job;
    bool reported = false;
    template <class Fields>
    void fields(Fields& f) {
        f("backup", backup);
        f("job", job, uuid_text);
        f("reported", reported);
    }
};
struct RunState {
    std::vector<Run> runs;
    std::vector<std::string> refusals;           // texts, not yet reported
    std::optional<std::int64_t> last_ordered;    // start of the last backup that was not asked for by hand
    std::optional<std::string> last_job;         // of the last backup that was begun
    std::optional<proto::Problem> last_problem;  // of the last backup, if it failed
    // Start and job of the last verification that a dispatcher ordered.
    std::optional<std::int64_t> last_verify;
    std::optional<std::string> last_verify_job;
    std::optional<std::vector<std::string>> removed;  // sets that were pruned, not yet reported
    std::optional<std::int64_t> escrow_fetched{};     // the last request for escrow records that was told
    // Start and job of the last proof by restoring that a dispatcher ordered, and outcomes not yet reported.
    std::optional<std::int64_t> last_proof{};
    std::optional<std::string> last_proof_job{};
    std::optional<std::vector<proto::SetProof>> proofs{};
    std::optional<std::int64_t> proofs_left{};  // when the dispatcher last left some of them for later
    template <class Fields>
    void fields(Fields& f) {
        f("runs", runs, Many<Nested>{1000, {}});
        f("refusals", refusals, Many<Text>{100, proto::long_text});
        f("last_ordered", last_ordered, any_time);
        f("last_job", last_job, uuid_text);
        f("last_problem", last_problem);
        f("last_verify", last_verify, any_time);
        f("last_verify_job", last_verify_job, uuid_text);
        f("removed", removed, Many<Text>{100'000, set_id_text});
        f("escrow_fetched", escrow_fetched, any_time);
        f("last_proof", last_proof, any_time);
        f("last_proof_job", last_proof_job, uuid_text);
        f("proofs", proofs, Many<Nested>{100, {}});
        f("proofs_left", proofs_left, any_time);
    }

    // The backup that was made for this job, or for this slot of this schedule, or nullptr.
    const Run* find(const std::optional<std::string>& job, const std::optional<std::string>& schedule,
                    std::optional<std::int64_t> slot) const;
    // Keeps the newest; forgets reported ones first.
    void add(Run run);
    // A set that was made anew takes its place by the time of its data; already known: nothing.
    void add_replacement(Run run);
    void add_removed(const std::string& set);
    void add_refusal(std::string text);
    // Of one set of one server the last one; of more than 100 sets the newest.
    void add_proof(proto::SetProof proof);
    // Whether they have to be told now: there are new ones, or it is an hour since some were left for later.
    bool has_proofs_to_tell(UtcTime now) const;
    // `sent` were told at `now`; those that were left are kept until they are a week old. Returns how many.
    std::size_t proofs_told(const std::vector<proto::SetProof>& sent, const std::vector<proto::ProofOf>& left,
                            UtcTime now);
};

// running.json: a backup that was begun. Left behind only by a crash.
struct Begun {
    std::string set;
    std::string store;
    std::int64_t started = 0;
    std::optional<std::string> job;
    std::optional<std::string> schedule;
    std::optional<std::int64_t> slot;
    template <class Fields>
    void fields(Fields& f) {
        f("set", set, set_id_text);
        f("store", store, Text{1000});
        f("started", started, any_time);
        f("job", job, uuid_text);
        f("schedule", schedule, uuid_text);
        f("slot", slot, any_time);
    }
};

// throttle.json: limits that `throttle` set; they go before those of the configuration. Bytes per second, 0:
// no limit.
struct Throttle {
    std::optional<std::int64_t> read_limit;
    std::optional<std::int64_t> write_limit;
    template <class Fields>
    void fields(Fields& f) {
        f("read_limit", read_limit, any_size);
        f("write_limit", write_limit, any_size);
    }
    bool operator==(const Throttle&) const = default;
};

// progress.json: how far the backup that runs now is. Means something only while the backup lock is held.
struct BackupProgress {
    std::string set;
    std::string stage;
    std::int64_t started = 0;
    std::int64_t updated = 0;
    std::int64_t plain_bytes = 0;  // read from the source
    std::int64_t stored_bytes = 0;
    std::int64_t segments = 0;
    std::int64_t total_bytes = 0;  // plain bytes expected; 0: not known
    std::int64_t retries = 0;      // of store operations
    std::int64_t read_rate = 0;    // bytes per second over the last 10 s
    std::int64_t write_rate = 0;
    std::int64_t read_limit = 0;  // in force
    std::int64_t write_limit = 0;
    template <class Fields>
    void fields(Fields& f) {
        f("set", set, set_id_text);
        f("stage", stage, proto::short_text);
        f("started", started, any_time);
        f("updated", updated, any_time);
        f("plain_bytes", plain_bytes, any_size);
        f("stored_bytes", stored_bytes, any_size);
        f("segments", segments, any_size);
        f("total_bytes", total_bytes, any_size);
        f("retries", retries, any_size);
        f("read_rate", read_rate, any_size);
        f("write_rate", write_rate, any_size);
        f("read_limit", read_limit, any_size);
        f("write_limit", write_limit, any_size);
    }
};

}  // namespace strongroom::agent
