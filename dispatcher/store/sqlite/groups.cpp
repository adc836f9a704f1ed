// What agents say of their database servers, groups of them, and jobs that move from member to member.
#include "dispatcher/store/sqlite/sqlite_transaction.hpp"

namespace strongroom::dispatcher {

void SqliteTransaction::put_server_state(const ServerStateReport& report) {
    execute(session_, "DELETE FROM server_states WHERE server = :s", report.server);
    insert(session_, "server_states", report);
}

std::optional<ServerStateReport> SqliteTransaction::find_server_state(const std::string& server) {
    return select_one<ServerStateReport>(session_, "server_states WHERE server = :s", server);
}

std::vector<ServerStateReport> SqliteTransaction::list_server_states() {
    return select<ServerStateReport>(
        session_,
        "server_states t WHERE EXISTS (SELECT 1 FROM servers WHERE uuid = t.server AND retired = 0) "
        "ORDER BY server");
}

std::vector<GroupMember> SqliteTransaction::group_members(const std::string& owner,
                                                          const std::string& group) {
    return select<GroupMember>(session_, "group_members WHERE grp = :g AND owner = :o ORDER BY server", group,
                               owner);
}

void SqliteTransaction::put_group_schedule(const GroupSchedule& schedule) {
    remove_group_schedule(schedule.owner, schedule.group, schedule.kind);
    insert_new("group_schedules", schedule, "schedule " + schedule.id + " exists already");
}

bool SqliteTransaction::remove_group_schedule(const std::string& owner, const std::string& group,
                                              const std::string& kind) {
    return execute(session_, "DELETE FROM group_schedules WHERE owner = :o AND grp = :g AND kind = :k", owner,
                   group, kind) == 1;
}

std::optional<GroupSchedule> SqliteTransaction::find_group_schedule(const std::string& id) {
    return select_one<GroupSchedule>(session_, "group_schedules WHERE id = :i", id);
}

std::vector<GroupSchedule> SqliteTransaction::list_group_schedules(const std::string& owner) {
    return select<GroupSchedule>(
        session_, "group_schedules WHERE owner = :o OR :a = '' ORDER BY owner, grp, kind", owner, owner);
}

std::vector<GroupSchedule> SqliteTransaction::group_schedules_before(std::int64_t slot) {
    return select<GroupSchedule>(session_, "group_schedules WHERE next_slot <= :n ORDER BY next_slot, id",
                                 slot);
}

bool SqliteTransaction::advance_group_schedule(const std::string& id, std::int64_t from, std::int64_t to) {
    return execute(session_, "UPDATE group_schedules SET next_slot = :t WHERE id = :i AND next_slot = :f", to,
                   id, from) == 1;
}

std::vector<Job> SqliteTransaction::queued_group_jobs() {
    return select<Job>(session_, "jobs WHERE grp <> '' AND state = 'queued' ORDER BY created, id");
}

bool SqliteTransaction::move_job(const Job& job, const std::string& to, const JobMove& move,
                                 std::int64_t now) {
    const std::string server = to.empty() ? job.server : to;
    const std::int64_t held = to.empty() ? 1 : 0;
    if (execute(session_,
                "UPDATE jobs SET state = 'queued', server = :n, held = :h, given = :g, attempts_before = "
                "attempts, "
                "lease_until = 0, stage = '', plain_bytes = 0, stored_bytes = 0, total_bytes = 0, rate = 0, "
                "retries = 0 WHERE id = :i AND server = :s AND attempts = :a AND held = :e "
                "AND state IN ('queued', 'leased', 'running')",
                server, held, now, job.id, job.server, job.attempts, job.held) != 1)
        return false;
    if (move.server.empty()) return true;
    execute(session_, "DELETE FROM job_moves WHERE job = :j AND server = :s", move.job, move.server);
    insert(session_, "job_moves", move);
    return true;
}

bool SqliteTransaction::settle_job(const Job& job) {
    return execute(session_,
                   "UPDATE jobs SET state = 'succeeded', server = :s, held = 0, finished = :f, set_id = :r "
                   "WHERE id = :i AND attempts = :a AND state = 'queued' AND grp <> ''",
                   job.server, job.finished, job.set, job.id, job.attempts) == 1;
}

std::vector<JobMove> SqliteTransaction::list_job_moves(const std::string& job) {
    return select<JobMove>(session_, "job_moves WHERE job = :j ORDER BY moved, server", job);
}

std::vector<GroupFacts> SqliteTransaction::group_facts() {
    return select<GroupFacts>(session_, "group_facts ORDER BY owner, grp, kind");
}

std::optional<Job> SqliteTransaction::find_slot_job(const std::string& schedule, std::int64_t slot) {
    return select_one<Job>(session_, "jobs WHERE slot_key = :k", schedule + "@" + std::to_string(slot));
}

}  // namespace strongroom::dispatcher
