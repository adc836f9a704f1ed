// What the dispatcher keeps, as plain values.
//
// Times are UTC milliseconds, 0 means "not yet" or "never". Empty text means "none". Ids are made by the
// caller, so that a whole transaction can be run again. Fingerprints are full primary (or subkey)
// fingerprints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/store/group_records.hpp"

namespace strongroom::dispatcher {

struct User {
    std::string fingerprint;
    std::string name;
    std::string public_key;  // armored, as it was inspected
    std::string token_hash;  // sha256_hex(token)
    std::int64_t created = 0;
};

struct Server {
    std::string uuid;
    std::string owner;     // a user's fingerprint
    std::string identity;  // fingerprint of the agent's primary key
    std::string subkey;    // fingerprint of its newest decryption subkey
    std::string public_key;
    std::string token_hash;
    std::string label;
    std::vector<std::string> recovery;  // pinned on the host; the dispatcher only reports them
    std::int64_t registered = 0;
    std::int64_t last_seen = 0;
    std::int64_t retired = 0;
    // As it says of itself: foreign text.
    std::string version;
    std::string source;
    std::string store;
    std::int64_t recovery_sequence = 0;  // changes of the recovery keys, as its agent counts them
};

// The hosts whose proofs of a server's sets count.
struct ServerVerifiers {
    std::string server;
    std::vector<std::string> fingerprints;  // of their identity keys
};

// A change of a server's identity key, or one that waits for its user's approval, with its proofs.
struct ServerIdentityChange {
    std::string server;
    std::int64_t sequence = 0;
    std::string current_key;  // fingerprints
    std::string next_key;
    std::string former_key;    // public key of current_key, armored
    std::string current;       // base64: the statement signed by current_key
    std::string next;          // by next_key
    std::string approval;      // by a recovery key; empty: none yet
    std::string approver_key;  // that recovery key, armored
    std::string state;         // "pending", "changed"
    std::int64_t told = 0;
};

// A user's signed statement on its way to an agent, which alone decides about it.
struct UserStatement {
    std::string server;
    std::string sha256;
    std::string sender;     // a user's fingerprint
    std::string statement;  // base64
    std::int64_t sent = 0;
    std::string state;  // "pending", "applied", "refused", "replaced" (by a later one)
    std::int64_t ended = 0;
    std::string text;  // the agent's answer
};

// Single use (S17): consumed in the transaction that registers the server.
struct RegistrationCode {
    std::string hash;  // sha256_hex of the code without dashes
    std::string owner;
    std::string label;
    std::int64_t created = 0;
    std::int64_t expires = 0;
    std::int64_t used = 0;
    std::string used_by;  // server UUID
};

struct Schedule {
    std::string id;
    std::string server;
    std::string kind;          // job kind
    std::string cron;          // five fields, UTC
    std::int64_t splay = 0;    // window in seconds; the offset in it follows from the id
    std::int64_t enabled = 1;  // 0 or 1
    std::int64_t created = 0;
    std::int64_t next_slot = 0;  // first slot that has no job yet, without the splay
};

enum class JobState { queued, leased, running, succeeded, failed, expired, cancelled };
std::string_view name(JobState state);
JobState job_state_from_name(std::string_view name);  // throws Error{corrupt}
inline bool is_open(JobState state) {
    return state == JobState::queued || state == JobState::leased || state == JobState::running;
}

struct Progress {
    std::string stage;
    std::int64_t plain_bytes = 0;
    std::int64_t stored_bytes = 0;
    std::int64_t total_bytes = 0;  // expected plain bytes; 0: not known
    std::int64_t rate = 0;         // plain bytes per second; 0: not known
    std::int64_t retries = 0;      // of operations on the agent's store
};

// Why a job ended without success. An empty kind: there is no problem.
struct Problem {
    std::string kind;  // name of an ErrorKind
    std::string stage;
    std::string text;
    std::string hint;
};

struct Job {
    std::string id;
    std::string server;
    std::string kind;
    std::string schedule;   // empty: asked for by a person or by the dispatcher itself
    std::int64_t slot = 0;  // 0 without a schedule
    JobState state = JobState::queued;
    std::int64_t attempts = 0;  // claims so far
    std::string created_by;     // fingerprint, "schedule" or "registration"
    std::int64_t created = 0;
    std::int64_t started = 0;
    std::int64_t lease_until = 0;
    std::int64_t finished = 0;
    Progress progress;
    std::string set;  // the backup set that it made
    Problem problem;
    // Of a group's job; of others all of these are none.
    std::string group;
    std::int64_t held = 0;   // 1: no member is fit: nobody may claim it; `server` is the one that last had it
    std::int64_t given = 0;  // when it was given to `server`
    std::int64_t attempts_before = 0;  // of the members that had it before
};

// A committed backup set as the agent reported it. The signed manifest in the store is the truth.
struct Backup {
    std::string set;
    std::string server;
    std::string kind;  // "full" or "incremental"
    std::string job;   // empty: made without a job
    std::int64_t created = 0;
    std::int64_t finished = 0;
    std::int64_t plain_bytes = 0;
    std::int64_t stored_bytes = 0;
    std::int64_t segments = 0;
    std::string source;
    std::string server_version;
    std::string store;     // what a person sees; never credentials
    std::string schedule;  // of the slot that it answers, also when it was made without an order
    std::int64_t slot = 0;
    std::int64_t reported = 0;
    std::int64_t removed = 0;  // when its owner said that it is gone from the store
    // The last proof by restoring: when it succeeded, or when it failed (the other is 0), and what it says.
    std::int64_t proven = 0;
    std::int64_t proof_failed = 0;
    std::string proof_text{};
    std::string proof_by{};  // the server whose agent proved it; empty: its own
};

// What came of proving a set by restoring it.
struct RestoreProof {
    std::string server;  // whose set it is
    std::string set;
    bool proven = false;
    std::int64_t time = 0;
    std::string text;
    std::string by;  // the server whose agent proved it; empty: its own
};

// An agent in a long poll.
struct WaitingAgent {
    std::string server;
    std::int64_t work = 0;  // 1: there is some
};

// Append-only: a later record of the same subkey never replaces an earlier one.
struct EscrowRecord {
    std::string id;
    std::string server;
    std::string subkey;
    std::vector<std::string> recipients;
    std::string sha256;  // of the record's bytes
    std::string record;  // base64 of the OpenPGP message
    std::int64_t deposited = 0;
};

// One part of a challenge: what opens it is the secret of `subkey` alone.
struct EscrowChallenge {
    std::string id;  // UUID, the same for all subkeys of one challenge
    std::string server;
    std::string user;  // who asked: only this user may answer
    std::string subkey;
    std::string digest;  // SHA-256 of the challenge's text: the right answer
    std::int64_t created = 0;
    std::int64_t expires = 0;
    std::int64_t used = 0;
};

// The last proof that an escrow record opens.
struct Proof {
    std::string server;
    std::string subkey;
    std::string user;
    std::string sha256;  // of the record
    std::int64_t proven = 0;
};

// The stored answer to a message: what was asked (digest of its JSON) and the reply's JSON. No reply holds a
// secret: tokens and registration codes are made by those who use them, and the dispatcher learns their
// hashes.
struct SeenMessage {
    std::string digest;
    std::string reply;
};

struct AuditEntry {
    std::string id;
    std::int64_t seq = 0;  // 1, 2, ... given by the store
    std::int64_t time = 0;
    std::string owner;    // the user who may read it; empty: only the operator
    std::string actor;    // fingerprint, "operator" or "scheduler"
    std::string action;   // message type or command
    std::string object;   // server UUID, job id, ...
    std::string outcome;  // "ok" or the name of an ErrorKind
    std::string text;
    std::string
        hash;  // given by the store: the digest of this entry and of the hash before it (audit/chain.hpp)
};

// The newest entry of the audit trail. seq 0: there is none.
struct AuditHead {
    std::int64_t seq = 0;
    std::string hash;
};

// What the rules of dispatcher/alert need to know of one server that is not retired.
struct ServerFacts {
    std::string uuid;
    std::string label;  // foreign text
    std::string owner;
    std::string identity;
    std::string source;  // foreign text
    std::int64_t registered = 0;
    std::int64_t last_seen = 0;
    std::int64_t escrow_deposited = 0;  // when the newest record of that subkey came; 0: none
    std::int64_t proven = 0;            // when exactly that record was last shown to open; 0: never
    std::string proven_by;              // fingerprint of the user who showed it
    std::int64_t escrowed = 0;          // 1: its newest decryption subkey is in escrow
    std::int64_t subkey_since = 0;      // when the first escrow record of that subkey came; 0: never
    std::int64_t rotates = 0;           // 1: it has a schedule for rotations
    std::int64_t identity_changed =
        0;                         // when its agent told of its last change of the identity key; 0: never
    std::int64_t fetched = 0;      // when its escrow records were last given out; 0: never
    std::string fetched_by;        // fingerprint of the user
    std::int64_t key_expires = 0;  // of the identity key or its decryption subkey; 0: never
    std::string cron;              // of its backup schedule; empty: there is none
    std::int64_t splay = 0;        // seconds
    std::int64_t schedule_created = 0;
    std::string increment_cron;  // of its schedule of increments; empty: there is none
    std::int64_t increment_splay = 0;
    std::int64_t increment_created = 0;
    std::int64_t last_backup = 0;  // when the newest backup was reported
    std::int64_t last_full = 0;    // ... the newest full one
    // Of the sets that are there: when one was last proven by restoring, and when that last failed; 0: never.
    std::int64_t restored = 0;
    std::int64_t restore_failed = 0;
    std::string restore_failed_text;  // foreign text
    std::string restore_failed_by;    // UUID of the server that says so; empty: its own agent
    // The backup job that ended last.
    std::string last_job;
    std::string last_job_state;
    std::int64_t last_job_finished = 0;
    std::string last_job_error;
};

// When a key, or its encryption subkey, stops working. 0: never.
struct KeyExpiry {
    std::string fingerprint;
    std::int64_t expires = 0;
};

// A change of the dispatcher's key: `current` signed that `next` follows. At most the last one has not been
// switched to.
struct KeyChange {
    std::int64_t sequence = 0;
    std::string current;    // fingerprint of the key that signed
    std::string next;       // fingerprint
    std::string statement;  // base64, as it is given out
    std::int64_t made = 0;
    std::int64_t switched = 0;  // when the dispatcher began to sign with `next`; 0: not yet
    std::int64_t retired = 0;   // when the secret part of `current` was removed; 0: it is still there
};

// What a peer's last messages said of the dispatcher's key.
struct KeyPin {
    std::string peer;    // fingerprint
    std::string newest;  // of the dispatcher's keys, that the peer has pinned
    std::int64_t newest_since = 0;
    std::string addressed;  // that its messages are for
    std::int64_t addressed_since = 0;
};

// Escrow records that were given out.
struct EscrowRequest {
    std::string server;
    std::string user;  // fingerprint
    std::int64_t time = 0;
};

// Something that is not as it should be. Open until `resolved`.
struct Alert {
    std::string id;
    std::string key;       // "RULE/OBJECT": at most one open alert has it
    std::string rule;      // "backup_missing", ...
    std::string severity;  // "warning" or "critical"
    std::string server;    // UUID, or empty
    std::string label;     // of the server
    std::string text;
    std::string hint;
    std::int64_t raised = 0;
    std::int64_t resolved = 0;
    std::int64_t told = 0;  // when it was last put into a notification
};

// A notification on its way through one channel.
struct AlertDelivery {
    std::string id;
    std::string event;    // "raised", "reminder", "resolved"
    std::string channel;  // "webhook", "command"
    std::string body;     // JSON
    std::int64_t created = 0;
    std::int64_t attempts = 0;
    std::int64_t next_try = 0;
    std::string outcome;  // empty: on its way; "delivered" or "given_up"
    std::string error;    // of the last attempt
};

struct Counts {
    std::int64_t users = 0;
    std::int64_t servers = 0;  // not retired
    std::int64_t queued = 0;
    std::int64_t running = 0;        // leased or running
    std::int64_t failed = 0;         // failed or expired
    std::int64_t oldest_queued = 0;  // when the oldest queued job was made
    std::int64_t audit_entries = 0;
    Progress progress;  // sums over the running jobs
};

}  // namespace strongroom::dispatcher
