#include "dispatcher/schedule/scheduler.hpp"

#include "common/base/cron.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"

namespace strongroom::dispatcher {
namespace {

// Ids of messages older than the freshness window cannot come back; PROTOCOL.md section 5 promises 30
// minutes.
constexpr std::chrono::minutes replies_kept{40};

}  // namespace

std::int64_t first_slot(const std::string& cron, UtcTime now) {
    return to_millis(Cron::parse(cron).next_after(now));
}

Scheduler::Tick Scheduler::tick() {
    const UtcTime now = clock_.now();
    std::vector<Schedule> schedules;
    std::vector<Job> lost;
    store_.read([&](Transaction& tx) {
        schedules = tx.enabled_schedules_before(to_millis(now));
        lost = tx.jobs_with_lease_before(to_millis(now));
    });
    Tick out;
    for (const auto& schedule : schedules) run_schedule(schedule, now, out);
    for (const auto& job : lost) end_lease(job, now, out);
    const std::int64_t forget = to_millis(now - replies_kept);
    store_.transact([&](Transaction& tx) { tx.forget_replies(forget); });
    return out;
}

void Scheduler::run_schedule(const Schedule& schedule, UtcTime now, Tick& out) {
    const auto offset = splay_offset(schedule.id, schedule.splay);
    const Cron cron = Cron::parse(schedule.cron);
    UtcTime slot = from_millis(schedule.next_slot);
    if (slot + offset > now) return;  // in its splay window
    UtcTime next = cron.next_after(slot);
    for (; next + offset <= now; next = cron.next_after(next)) slot = next;

    Job job;
    job.id = random_uuid();
    job.server = schedule.server;
    job.kind = schedule.kind;
    job.schedule = schedule.id;
    job.slot = to_millis(slot);
    job.created_by = "schedule";
    job.created = to_millis(now);
    bool made = false;
    std::size_t superseded = 0;
    store_.transact([&](Transaction& tx) {
        made = false;
        superseded = 0;
        if (!tx.advance_schedule(schedule.id, schedule.next_slot, to_millis(next))) return;
        for (const auto& older : tx.open_jobs_of_schedule(schedule.id)) {
            if (older.state != JobState::queued) continue;
            const Problem problem{"timeout", "", "no agent took this job before the next slot was due",
                                  "Is the agent running, and can it reach the dispatcher?"};
            if (tx.close_job(older.id, JobState::expired, problem, to_millis(now))) ++superseded;
        }
        made = tx.add_job(job);
    });
    out.superseded += superseded;
    if (superseded > 0)
        log_event(Level::warning, "DISPATCHER_JOB_SUPERSEDED",
                  "server {}: a queued {} job was not taken in time", schedule.server, schedule.kind);
    if (!made) return;
    ++out.created;
    out.servers_with_work.push_back(schedule.server);
    log_event(Level::info, "DISPATCHER_JOB_DUE", "job {} {} for server {}, slot {}", job.id, job.kind,
              job.server, format_utc(slot));
}

void Scheduler::end_lease(const Job& job, UtcTime now, Tick& out) {
    if (job.attempts < max_attempts) {
        bool requeued = false;
        store_.transact([&](Transaction& tx) {
            const auto current = tx.find_job(job.id);
            requeued =
                current && current->lease_until == job.lease_until && tx.requeue_job(job.id, job.attempts);
        });
        if (!requeued) return;
        ++out.requeued;
        out.servers_with_work.push_back(job.server);
        log_event(Level::warning, "DISPATCHER_LEASE_LOST",
                  "job {} {} of server {}: attempt {} of {} went silent", job.id, job.kind, job.server,
                  job.attempts, max_attempts);
        return;
    }
    bool closed = false;
    store_.transact([&](Transaction& tx) {
        const auto current = tx.find_job(job.id);
        const Problem problem{
            "timeout", "", "the agent went silent in each of " + std::to_string(max_attempts) + " attempts",
            "See the agent's log on the host."};
        closed = current && current->lease_until == job.lease_until &&
                 tx.close_job(job.id, JobState::expired, problem, to_millis(now));
    });
    if (!closed) return;
    ++out.given_up;
    log_event(Level::error, "DISPATCHER_JOB_EXPIRED", "job {} {} of server {} given up after {} attempts",
              job.id, job.kind, job.server, job.attempts);
}

}  // namespace strongroom::dispatcher
