// The verbs of a transaction in SQL: peers.cpp, work.cpp, ledger.cpp, keys.cpp, watch.cpp. One session, one
// thread, one transaction.
#pragma once

#include "common/base/error.hpp"
#include "dispatcher/store/sqlite/statements.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

class SqliteTransaction : public Transaction {
  public:
    explicit SqliteTransaction(Session& session) : session_(session) {}

    void add_user(const User& user) override;
    std::optional<User> find_user(const std::string& fingerprint) override;
    std::optional<User> find_user_by_token(const std::string& token_hash) override;
    std::vector<User> list_users() override;
    void add_server(const Server& server) override;
    std::optional<Server> find_server(const std::string& uuid) override;
    std::optional<Server> find_server_by_token(const std::string& token_hash) override;
    std::vector<Server> list_servers(const std::string& owner) override;
    void touch_server(const std::string& uuid, std::int64_t now) override;
    void describe_server(const Server& server) override;
    void put_server_identity(const std::string& uuid, const std::string& identity,
                             const std::string& public_key) override;
    void put_identity_change(const ServerIdentityChange& change) override;
    std::vector<ServerIdentityChange> list_identity_changes(const std::string& server) override;
    void put_server_recovery(const std::string& uuid, const std::vector<std::string>& recovery,
                             std::int64_t sequence) override;
    void put_verifiers(const ServerVerifiers& verifiers) override;
    std::optional<ServerVerifiers> find_verifiers(const std::string& server) override;
    void add_statement(const UserStatement& statement) override;
    std::optional<UserStatement> find_statement(const std::string& server,
                                                const std::string& sha256) override;
    std::optional<UserStatement> pending_statement(const std::string& server) override;
    std::vector<UserStatement> list_statements(const std::string& server, std::int64_t limit) override;
    bool end_statement(const UserStatement& ended) override;
    void put_server_key(const std::string& uuid, const std::string& subkey,
                        const std::string& public_key) override;
    bool retire_server(const std::string& uuid, std::int64_t now) override;
    void add_code(const RegistrationCode& code) override;
    std::optional<RegistrationCode> find_code(const std::string& hash) override;
    bool consume_code(const std::string& hash, const std::string& server, std::int64_t now) override;
    void put_schedule(const Schedule& schedule) override;
    bool remove_schedule(const std::string& server, const std::string& kind) override;
    std::vector<Schedule> list_schedules(const std::string& server) override;
    void schedules_told(const std::string& server) override;
    std::vector<Schedule> enabled_schedules_before(std::int64_t slot) override;
    bool advance_schedule(const std::string& id, std::int64_t from, std::int64_t to) override;
    void put_server_state(const ServerStateReport& report) override;
    std::optional<ServerStateReport> find_server_state(const std::string& server) override;
    std::vector<ServerStateReport> list_server_states() override;
    std::vector<GroupMember> group_members(const std::string& owner, const std::string& group) override;
    void put_group_schedule(const GroupSchedule& schedule) override;
    bool remove_group_schedule(const std::string& owner, const std::string& group,
                               const std::string& kind) override;
    std::optional<GroupSchedule> find_group_schedule(const std::string& id) override;
    std::vector<GroupSchedule> list_group_schedules(const std::string& owner) override;
    std::vector<GroupSchedule> group_schedules_before(std::int64_t slot) override;
    bool advance_group_schedule(const std::string& id, std::int64_t from, std::int64_t to) override;
    std::vector<Job> queued_group_jobs() override;
    bool move_job(const Job& job, const std::string& to, const JobMove& move, std::int64_t now) override;
    bool settle_job(const Job& job) override;
    std::vector<JobMove> list_job_moves(const std::string& job) override;
    std::vector<GroupFacts> group_facts() override;
    std::optional<Job> find_slot_job(const std::string& schedule, std::int64_t slot) override;
    bool add_job(const Job& job) override;
    std::optional<Job> find_job(const std::string& id) override;
    std::vector<Job> list_jobs(const std::string& server, std::int64_t limit) override;
    std::vector<Job> open_jobs_of_schedule(const std::string& schedule) override;
    std::optional<WaitingAgent> find_waiting_agent(const std::string& token_hash) override;
    std::optional<Job> claim_job(const std::string& server, std::int64_t now,
                                 std::int64_t lease_until) override;
    bool renew_job(const std::string& id, const std::string& server, std::int64_t attempt,
                   std::int64_t lease_until, const Progress& progress) override;
    bool finish_job(const Job& job) override;
    bool close_job(const std::string& id, JobState state, const Problem& problem, std::int64_t now) override;
    std::vector<Job> jobs_with_lease_before(std::int64_t now) override;
    bool requeue_job(const std::string& id, std::int64_t attempts) override;
    bool put_backup(const Backup& backup) override;
    bool knows_backup(const std::string& server, const std::string& set) override;
    std::vector<Backup> list_backups(const std::string& server, std::int64_t limit) override;
    bool remove_backup(const std::string& server, const std::string& set, std::int64_t now) override;
    bool put_restore_proof(const RestoreProof& proof) override;
    std::optional<Backup> last_proven_backup(const std::string& server) override;
    std::optional<Backup> last_unproven_backup(const std::string& server) override;
    void append_escrow(const EscrowRecord& record) override;
    std::vector<EscrowRecord> list_escrow(const std::string& server) override;
    std::optional<EscrowRecord> find_escrow(const std::string& server, const std::string& subkey,
                                            const std::string& sha256) override;
    void add_challenge(const EscrowChallenge& part) override;
    std::vector<EscrowChallenge> find_challenges(const std::string& id) override;
    bool use_challenge(const std::string& id, std::int64_t now) override;
    void forget_challenges(std::int64_t expired_before) override;
    void put_proof(const Proof& proof) override;
    std::optional<Proof> find_proof(const std::string& server, const std::string& subkey) override;
    void add_escrow_request(const EscrowRequest& request) override;
    std::int64_t count_escrow_requests_of_user(const std::string& fingerprint, std::int64_t since) override;
    std::int64_t count_escrow_requests_for(const std::string& server, std::int64_t since) override;
    std::optional<EscrowRequest> last_escrow_request(const std::string& server) override;
    void forget_escrow_requests(std::int64_t before) override;
    void note_news(const std::string& server) override { note_schedule_news(server); }
    void add_key_change(const KeyChange& change) override;
    std::vector<KeyChange> list_key_changes() override;
    bool mark_key_switched(std::int64_t sequence, std::int64_t now) override;
    bool mark_key_retired(std::int64_t sequence, std::int64_t now) override;
    void put_key_pin(const KeyPin& pin) override;
    std::optional<KeyPin> find_key_pin(const std::string& peer) override;
    std::vector<KeyPin> list_key_pins() override;
    std::optional<SeenMessage> find_reply(const std::string& sender, const std::string& message) override;
    void add_reply(const std::string& sender, const std::string& message, std::int64_t now,
                   const SeenMessage& seen) override;
    void forget_replies(std::int64_t before) override;
    void append_audit(const AuditEntry& entry) override;
    std::vector<AuditEntry> list_audit(const std::string& owner, std::int64_t limit) override;
    std::vector<AuditEntry> audit_after(std::int64_t seq, std::int64_t limit) override;
    AuditHead audit_head() override;
    void put_service_value(const std::string& name, const std::string& value) override;
    std::string service_value(const std::string& name) override;
    Counts counts() override;
    std::map<std::string, std::int64_t> jobs_by_state() override;
    std::optional<Job> oldest_queued_job() override;
    void touch_presence(const std::vector<std::string>& servers, std::int64_t now) override;
    void put_key_expiry(const KeyExpiry& key) override;
    std::vector<KeyExpiry> key_expiries() override;
    std::vector<ServerFacts> server_facts() override;
    std::vector<Job> failed_jobs() override;
    void put_alert(const Alert& alert) override;
    std::vector<Alert> open_alerts() override;
    std::vector<Alert> list_alerts(std::int64_t limit) override;
    void put_delivery(const AlertDelivery& delivery) override;
    std::vector<AlertDelivery> due_deliveries(const std::string& channel, std::int64_t now,
                                              std::int64_t limit) override;
    std::int64_t pending_deliveries() override;
    void forget_deliveries(std::int64_t before) override;

  private:
    // insert(), but a taken key is Error{exists} with `what`.
    template <class Record>
    void insert_new(const std::string& table, const Record& record, const std::string& what);

    void note_schedule_news(const std::string& server);

    Session& session_;
};

template <class Record>
void SqliteTransaction::insert_new(const std::string& table, const Record& record, const std::string& what) {
    try {
        insert(session_, table, record);
    } catch (const soci::sqlite3_soci_error& error) {
        if (sqlite_code(error) != sqlite_constraint) throw;
        throw Error(ErrorKind::exists, what);
    }
}

}  // namespace strongroom::dispatcher
