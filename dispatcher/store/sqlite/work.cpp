// Schedules and jobs.
#include "dispatcher/store/sqlite/sqlite_transaction.hpp"

namespace strongroom::dispatcher {
namespace {

// A job as its row: the key that allows one job for a (schedule, slot).
struct JobRow : Job {
    std::string slot_key;
};

template <class F>
void columns(JobRow& row, F f) {
    columns(static_cast<Job&>(row), f);
    f("slot_key", row.slot_key);
}

}  // namespace

void SqliteTransaction::put_schedule(const Schedule& schedule) {
    execute(session_, "DELETE FROM schedules WHERE server = :s AND kind = :k", schedule.server,
            schedule.kind);
    insert_new("schedules", schedule, "schedule " + schedule.id + " exists already");
    note_schedule_news(schedule.server);
}

bool SqliteTransaction::remove_schedule(const std::string& server, const std::string& kind) {
    if (execute(session_, "DELETE FROM schedules WHERE server = :s AND kind = :k", server, kind) != 1)
        return false;
    note_schedule_news(server);
    return true;
}

void SqliteTransaction::note_schedule_news(const std::string& server) {
    execute(session_, "INSERT INTO schedule_news (server) VALUES (:s) ON CONFLICT (server) DO NOTHING",
            server);
}

void SqliteTransaction::schedules_told(const std::string& server) {
    execute(session_, "DELETE FROM schedule_news WHERE server = :s", server);
}

std::vector<Schedule> SqliteTransaction::list_schedules(const std::string& server) {
    return select<Schedule>(session_, "schedules WHERE server = :s ORDER BY kind", server);
}

std::vector<Schedule> SqliteTransaction::enabled_schedules_before(std::int64_t slot) {
    return select<Schedule>(session_,
                            "schedules WHERE enabled = 1 AND next_slot <= :n ORDER BY next_slot, id", slot);
}

bool SqliteTransaction::advance_schedule(const std::string& id, std::int64_t from, std::int64_t to) {
    return execute(session_,
                   "UPDATE schedules SET next_slot = :t WHERE id = :i AND next_slot = :f AND enabled = 1", to,
                   id, from) == 1;
}

bool SqliteTransaction::add_job(const Job& job) {
    JobRow row{job, job.schedule.empty() ? job.id : job.schedule + "@" + std::to_string(job.slot)};
    if (!job.schedule.empty() &&
        count(session_, "SELECT EXISTS (SELECT 1 FROM jobs WHERE slot_key = :k)", row.slot_key) != 0)
        return false;
    insert_new("jobs", row, "job " + job.id + " exists already");
    return true;
}

std::optional<Job> SqliteTransaction::find_job(const std::string& id) {
    return select_one<Job>(session_, "jobs WHERE id = :i", id);
}

std::vector<Job> SqliteTransaction::list_jobs(const std::string& server, std::int64_t limit) {
    return select<Job>(session_, "jobs WHERE server = :s ORDER BY created DESC, id LIMIT :l", server, limit);
}

std::vector<Job> SqliteTransaction::open_jobs_of_schedule(const std::string& schedule) {
    return select<Job>(session_,
                       "jobs WHERE schedule = :s AND state IN ('queued', 'leased', 'running') ORDER BY slot",
                       schedule);
}

std::optional<WaitingAgent> SqliteTransaction::find_waiting_agent(const std::string& token_hash) {
    return select_one<WaitingAgent>(session_, "waiting_agents WHERE token_hash = :h", token_hash);
}

std::optional<Job> SqliteTransaction::claim_job(const std::string& server, std::int64_t now,
                                                std::int64_t lease_until) {
    auto job = select_one<Job>(
        session_, "jobs WHERE server = :s AND state = 'queued' AND held = 0 ORDER BY created, id LIMIT 1",
        server);
    if (!job) return std::nullopt;
    const std::int64_t claimed =
        execute(session_,
                "UPDATE jobs SET state = 'leased', attempts = attempts + 1, "
                "lease_until = :l, started = :n WHERE id = :i AND state = 'queued' AND held = 0",
                lease_until, now, job->id);
    if (claimed != 1) return std::nullopt;
    job->state = JobState::leased;
    ++job->attempts;
    job->lease_until = lease_until;
    job->started = now;
    return job;
}

bool SqliteTransaction::renew_job(const std::string& id, const std::string& server, std::int64_t attempt,
                                  std::int64_t lease_until, const Progress& progress) {
    return execute(session_,
                   "UPDATE jobs SET state = 'running', lease_until = :l, stage = :g, plain_bytes = :p, "
                   "stored_bytes = :b, total_bytes = :t, rate = :r, retries = :y WHERE id = :i "
                   "AND server = :s AND attempts = :a AND state IN ('queued', 'leased', 'running')",
                   lease_until, progress.stage, progress.plain_bytes, progress.stored_bytes,
                   progress.total_bytes, progress.rate, progress.retries, id, server, attempt) == 1;
}

bool SqliteTransaction::finish_job(const Job& job) {
    const std::string state(name(job.state));
    return execute(
               session_,
               "UPDATE jobs SET state = :t, finished = :f, lease_until = 0, set_id = :r, error_kind = :k, "
               "error_stage = :g, error_text = :e, error_hint = :h WHERE id = :i AND server = :s "
               "AND attempts = :a AND state IN ('queued', 'leased', 'running')",
               state, job.finished, job.set, job.problem.kind, job.problem.stage, job.problem.text,
               job.problem.hint, job.id, job.server, job.attempts) == 1;
}

bool SqliteTransaction::close_job(const std::string& id, JobState state, const Problem& problem,
                                  std::int64_t now) {
    const std::string state_name(name(state));
    return execute(
               session_,
               "UPDATE jobs SET state = :t, finished = :f, lease_until = 0, error_kind = :k, error_stage = "
               ":g, "
               "error_text = :e, error_hint = :h WHERE id = :i AND state IN ('queued', 'leased', 'running')",
               state_name, now, problem.kind, problem.stage, problem.text, problem.hint, id) == 1;
}

std::vector<Job> SqliteTransaction::jobs_with_lease_before(std::int64_t now) {
    return select<Job>(session_,
                       "jobs WHERE state IN ('leased', 'running') AND lease_until <= :n ORDER BY id", now);
}

bool SqliteTransaction::requeue_job(const std::string& id, std::int64_t attempts) {
    return execute(session_,
                   "UPDATE jobs SET state = 'queued', lease_until = 0 "
                   "WHERE id = :i AND attempts = :a AND state IN ('leased', 'running')",
                   id, attempts) == 1;
}

}  // namespace strongroom::dispatcher
