// The dispatcher's state: what a store promises. tests/contract/dispatcher/store holds every implementation
// to it.
//
// - transact(fn) runs `fn` in one serialisable transaction. When it returns, everything is synced to disk:
// only then
//   may anything be acknowledged (S21). If `fn` throws, nothing happened and the exception passes through.
// - `fn` may be run again from its start after a conflict with another dispatcher, so it must be idempotent
// apart
//   from the transaction itself: ids are made before, results are assigned, not accumulated.
// - Transactions may share one commit with others: `fn` may run on another thread, while its caller waits.
// - Claims and moves are compare-and-set: they say false when somebody else was first.
// - Any thread may call transact() and read(); a Transaction belongs to the call and must not escape it. No
// nesting.
// - Errors: Error{exists} for a key that is taken, Error{busy} when the store stays locked, Error{storage}
// otherwise.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/store/records.hpp"

namespace strongroom::dispatcher {

class Transaction {
  public:
    virtual ~Transaction() = default;

    // Users and servers.
    virtual void add_user(const User& user) = 0;
    virtual std::optional<User> find_user(const std::string& fingerprint) = 0;
    virtual std::optional<User> find_user_by_token(const std::string& token_hash) = 0;
    virtual std::vector<User> list_users() = 0;

    virtual void add_server(const Server& server) = 0;
    virtual std::optional<Server> find_server(const std::string& uuid) = 0;
    virtual std::optional<Server> find_server_by_token(const std::string& token_hash) = 0;
    virtual std::vector<Server> list_servers(const std::string& owner) = 0;
    virtual void touch_server(const std::string& uuid, std::int64_t now) = 0;
    virtual void describe_server(const Server& server) = 0;  // label, version, source, store
    // After a rotation: the newest decryption subkey, and the key that holds it.
    virtual void put_server_key(const std::string& uuid, const std::string& subkey,
                                const std::string& public_key) = 0;
    virtual void put_server_recovery(const std::string& uuid, const std::vector<std::string>& recovery,
                                     std::int64_t sequence) = 0;
    // After a change of the identity key. Throws Error{exists} if another server has that key.
    virtual void put_server_identity(const std::string& uuid, const std::string& identity,
                                     const std::string& public_key) = 0;
    // By (server, sequence): a change takes the place of its proposal, a later proposal that of an earlier
    // one.
    virtual void put_identity_change(const ServerIdentityChange& change) = 0;
    virtual std::vector<ServerIdentityChange> list_identity_changes(
        const std::string& server) = 0;  // by sequence
    // The hosts that may prove a server's sets, as its agent last told: all of them. Replaces those before.
    virtual void put_verifiers(const ServerVerifiers& verifiers) = 0;
    virtual std::optional<ServerVerifiers> find_verifiers(
        const std::string& server) = 0;  // nullopt: not told
    // False if it was retired already. Its open jobs are cancelled and its schedules disabled.
    virtual bool retire_server(const std::string& uuid, std::int64_t now) = 0;

    virtual void add_code(const RegistrationCode& code) = 0;
    virtual std::optional<RegistrationCode> find_code(const std::string& hash) = 0;
    // False unless it exists, is unused and has not expired.
    virtual bool consume_code(const std::string& hash, const std::string& server, std::int64_t now) = 0;

    // Schedules. At most one per (server, kind): setting it again replaces it. A change is news for the
    // server's agent until schedules_told().
    virtual void put_schedule(const Schedule& schedule) = 0;
    virtual bool remove_schedule(const std::string& server, const std::string& kind) = 0;
    virtual std::vector<Schedule> list_schedules(const std::string& server) = 0;
    virtual void schedules_told(const std::string& server) = 0;
    virtual std::vector<Schedule> enabled_schedules_before(std::int64_t slot) = 0;  // next_slot <= slot
    // False if next_slot is no longer `from`.
    virtual bool advance_schedule(const std::string& id, std::int64_t from, std::int64_t to) = 0;

    // What agents say of their database servers; each replaces the one before.
    virtual void put_server_state(const ServerStateReport& report) = 0;
    virtual std::optional<ServerStateReport> find_server_state(const std::string& server) = 0;
    virtual std::vector<ServerStateReport> list_server_states() = 0;  // of servers that are not retired

    // Groups. Members: servers of the owner that are not retired and last said that they are in it.
    virtual std::vector<GroupMember> group_members(const std::string& owner, const std::string& group) = 0;
    // At most one schedule for (owner, group, kind): setting it again replaces it.
    virtual void put_group_schedule(const GroupSchedule& schedule) = 0;
    virtual bool remove_group_schedule(const std::string& owner, const std::string& group,
                                       const std::string& kind) = 0;
    virtual std::optional<GroupSchedule> find_group_schedule(const std::string& id) = 0;
    virtual std::vector<GroupSchedule> list_group_schedules(const std::string& owner) = 0;  // "": of all
    virtual std::vector<GroupSchedule> group_schedules_before(std::int64_t slot) = 0;  // next_slot <= slot
    // False if next_slot is no longer `from`.
    virtual bool advance_group_schedule(const std::string& id, std::int64_t from, std::int64_t to) = 0;
    virtual std::vector<Job> queued_group_jobs() = 0;
    // queued|leased|running with this server and attempt number -> queued for `to`, or held (empty `to`).
    // False if it changed meanwhile. The member that had it is noted, unless `move.server` is empty.
    virtual bool move_job(const Job& job, const std::string& to, const JobMove& move, std::int64_t now) = 0;
    // A group's job that nobody holds now, and that `job.server` turns out to have done: -> succeeded.
    virtual bool settle_job(const Job& job) = 0;
    virtual std::vector<JobMove> list_job_moves(const std::string& job) = 0;  // oldest first
    virtual std::vector<GroupFacts> group_facts() = 0;                        // one for each schedule
    virtual std::optional<Job> find_slot_job(const std::string& schedule, std::int64_t slot) = 0;

    // Statements for an agent. A pending one is work for it; a new one takes the place of those that pend.
    virtual void add_statement(const UserStatement& statement) = 0;
    virtual std::optional<UserStatement> find_statement(const std::string& server,
                                                        const std::string& sha256) = 0;
    virtual std::optional<UserStatement> pending_statement(const std::string& server) = 0;
    virtual std::vector<UserStatement> list_statements(const std::string& server,
                                                       std::int64_t limit) = 0;  // newest first
    // False unless it is pending.
    virtual bool end_statement(const UserStatement& ended) = 0;

    // Jobs.
    // False if this (schedule, slot) has its job already.
    virtual bool add_job(const Job& job) = 0;
    virtual std::optional<Job> find_job(const std::string& id) = 0;
    virtual std::vector<Job> list_jobs(const std::string& server, std::int64_t limit) = 0;  // newest first
    virtual std::vector<Job> open_jobs_of_schedule(const std::string& schedule) = 0;
    // Who shows this token, if that is the agent of a server that is not retired, and whether it should ask:
    // there is a queued job, or schedules that it was not told of.
    virtual std::optional<WaitingAgent> find_waiting_agent(const std::string& token_hash) = 0;
    // queued -> leased, the oldest first; counts the attempt. One caller gets a job, all others another or
    // none.
    virtual std::optional<Job> claim_job(const std::string& server, std::int64_t now,
                                         std::int64_t lease_until) = 0;
    // -> running with a new lease, for the holder of this attempt, also after its lease ran out (the
    // dispatcher may have been away) as long as nobody else claimed the job. False otherwise.
    virtual bool renew_job(const std::string& id, const std::string& server, std::int64_t attempt,
                           std::int64_t lease_until, const Progress& progress) = 0;
    // -> the final state in `job` with its set or problem, for the holder of attempt `job.attempts` as above.
    virtual bool finish_job(const Job& job) = 0;
    // queued|leased|running -> cancelled|expired. False if it had ended already.
    virtual bool close_job(const std::string& id, JobState state, const Problem& problem,
                           std::int64_t now) = 0;
    virtual std::vector<Job> jobs_with_lease_before(std::int64_t now) = 0;
    // leased|running with this attempt number -> queued.
    virtual bool requeue_job(const std::string& id, std::int64_t attempts) = 0;

    // Backups and escrow.
    // False for a set that is known: it replaces nothing.
    virtual bool put_backup(const Backup& backup) = 0;
    virtual bool knows_backup(const std::string& server, const std::string& set) = 0;  // also a removed one
    virtual std::vector<Backup> list_backups(const std::string& server,
                                             std::int64_t limit) = 0;  // newest first; no removed ones
    // False unless it is listed. It stays known: told again, it is not listed again.
    virtual bool remove_backup(const std::string& server, const std::string& set, std::int64_t now) = 0;
    // The newest proof of a set by restoring, whoever made it. False if the set is not listed, or a later one
    // is known.
    virtual bool put_restore_proof(const RestoreProof& proof) = 0;
    // The listed set that was proven last, and the one whose proof failed last.
    virtual std::optional<Backup> last_proven_backup(const std::string& server) = 0;
    virtual std::optional<Backup> last_unproven_backup(const std::string& server) = 0;
    virtual void append_escrow(const EscrowRecord& record) = 0;
    virtual std::vector<EscrowRecord> list_escrow(const std::string& server) = 0;  // newest first
    virtual std::optional<EscrowRecord> find_escrow(const std::string& server, const std::string& subkey,
                                                    const std::string& sha256) = 0;

    // Proof of recovery.
    virtual void add_challenge(const EscrowChallenge& part) = 0;
    virtual std::vector<EscrowChallenge> find_challenges(const std::string& id) = 0;  // its parts
    // False unless the challenge has a part and none was used.
    virtual bool use_challenge(const std::string& id, std::int64_t now) = 0;
    virtual void forget_challenges(std::int64_t expired_before) = 0;
    virtual void put_proof(const Proof& proof) = 0;  // one for each (server, subkey): the newest
    virtual std::optional<Proof> find_proof(const std::string& server, const std::string& subkey) = 0;

    // Requests for escrow records, kept for their limits and to be shown.
    virtual void add_escrow_request(const EscrowRequest& request) = 0;
    virtual std::int64_t count_escrow_requests_of_user(const std::string& fingerprint,
                                                       std::int64_t since) = 0;
    virtual std::int64_t count_escrow_requests_for(const std::string& server, std::int64_t since) = 0;
    virtual std::optional<EscrowRequest> last_escrow_request(const std::string& server) = 0;
    virtual void forget_escrow_requests(std::int64_t before) = 0;
    // Makes the server's agent ask (job.next) although there is no job.
    virtual void note_news(const std::string& server) = 0;

    // The dispatcher's own keys, and who knows which of them.
    // Throws Error{exists} if the sequence number is taken, or one of the keys has this place already.
    virtual void add_key_change(const KeyChange& change) = 0;
    virtual std::vector<KeyChange> list_key_changes() = 0;  // oldest first
    // False if it was done before.
    virtual bool mark_key_switched(std::int64_t sequence, std::int64_t now) = 0;
    virtual bool mark_key_retired(std::int64_t sequence, std::int64_t now) = 0;
    virtual void put_key_pin(const KeyPin& pin) = 0;  // one for each peer
    virtual std::optional<KeyPin> find_key_pin(const std::string& peer) = 0;
    virtual std::vector<KeyPin> list_key_pins() = 0;

    // Replies to messages, so that a repeated message has one effect and one answer.
    virtual std::optional<SeenMessage> find_reply(const std::string& sender, const std::string& message) = 0;
    virtual void add_reply(const std::string& sender, const std::string& message, std::int64_t now,
                           const SeenMessage& seen) = 0;
    virtual void forget_replies(std::int64_t before) = 0;

    // At the end of the chain; seq and hash are given here.
    virtual void append_audit(const AuditEntry& entry) = 0;
    virtual std::vector<AuditEntry> list_audit(const std::string& owner,
                                               std::int64_t limit) = 0;  // newest first

    virtual std::vector<AuditEntry> audit_after(std::int64_t seq, std::int64_t limit) = 0;  // oldest first
    virtual AuditHead audit_head() = 0;

    // What the dispatcher notes about itself, by name. "" if there is no such note.
    virtual void put_service_value(const std::string& name, const std::string& value) = 0;
    virtual std::string service_value(const std::string& name) = 0;

    virtual Counts counts() = 0;
    virtual std::map<std::string, std::int64_t> jobs_by_state() = 0;
    virtual std::optional<Job> oldest_queued_job() = 0;

    // Agents in a long poll show that they live without a message: kept apart from the servers' large rows.
    virtual void touch_presence(const std::vector<std::string>& servers, std::int64_t now) = 0;
    virtual void put_key_expiry(const KeyExpiry& key) = 0;
    virtual std::vector<KeyExpiry> key_expiries() = 0;
    virtual std::vector<ServerFacts> server_facts() = 0;  // not of retired servers
    // Jobs other than backups that failed or were given up, with none of their server and kind that ended
    // later; not of retired servers.
    virtual std::vector<Job> failed_jobs() = 0;

    // Alerts.
    virtual void put_alert(const Alert& alert) = 0;                  // by id: new or changed
    virtual std::vector<Alert> open_alerts() = 0;                    // oldest first
    virtual std::vector<Alert> list_alerts(std::int64_t limit) = 0;  // newest first, resolved ones too
    virtual void put_delivery(const AlertDelivery& delivery) = 0;    // by id: new or changed
    virtual std::vector<AlertDelivery> due_deliveries(const std::string& channel, std::int64_t now,
                                                      std::int64_t limit) = 0;
    virtual std::int64_t pending_deliveries() = 0;
    virtual void forget_deliveries(std::int64_t before) = 0;  // those that ended
};

class Store {
  public:
    using Work = std::function<void(Transaction&)>;

    virtual ~Store() = default;
    virtual void transact(const Work& work) = 0;
    // One consistent view; writing throws. Never waits for a writer.
    virtual void read(const Work& work) = 0;
    // Returns once a small write has reached the disk; throws what transact() throws. `now`: UTC
    // milliseconds.
    virtual void require_writable(std::int64_t now) {
        transact([now](Transaction& tx) { tx.put_service_value("writable", std::to_string(now)); });
    }
};

}  // namespace strongroom::dispatcher
