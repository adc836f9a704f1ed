#include "dispatcher/schedule/scheduler.hpp"

#include <algorithm>

#include "common/base/cron.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "dispatcher/schedule/due_slot.hpp"
#include "dispatcher/schedule/job_audit.hpp"

namespace strongroom::dispatcher {
namespace {

// Ids of messages older than the freshness window cannot come back; PROTOCOL.md section 5 promises 30
// minutes.
constexpr std::chrono::minutes replies_kept{40};

}  // namespace

std::int64_t first_slot(const std::string& cron, UtcTime now) {
    return to_millis(Cron::parse(cron).next_after(now));
}

// A due slot, and what became of it.
struct Scheduler::Due {
    const Schedule* schedule;
    DueSlot due;
    Job job;
    bool made = false;
    std::size_t superseded = 0;
};

// A lease that ran out, and what became of its job.
struct Scheduler::Lost {
    const Job* job;
    bool requeued = false;
    bool closed = false;
};

namespace {

// Many small changes share one commit, but none of them waits for very many others.
constexpr std::size_t slice = 250;

void append_audit(Transaction& tx, const Job& job, const std::string& action, const std::string& text,
                  UtcTime now) {
    audit_job(tx, job, "server " + job.server, action, text, now);
}

template <class Entry, class Change>
void in_slices(Store& store, std::vector<Entry>& entries, const Change& change) {
    for (std::size_t from = 0; from < entries.size(); from += slice)
        store.transact([&](Transaction& tx) {
            for (std::size_t i = from; i < std::min(from + slice, entries.size()); ++i)
                change(tx, entries[i]);
        });
}

// Where a full backup is due, too, no increment is made.
bool full_backup_at(Transaction& tx, const Schedule& schedule, UtcTime slot) {
    if (schedule.kind != "incremental") return false;
    const auto others = tx.list_schedules(schedule.server);
    return std::ranges::any_of(others, [&](const Schedule& other) {
        const auto cron = Cron::try_parse(other.cron);
        return other.kind == "backup" && other.enabled && cron && cron->matches(slot);
    });
}

}  // namespace

Scheduler::Tick Scheduler::tick() {
    const UtcTime now = clock_.now();
    watch_.look(store_, now);
    std::vector<Schedule> schedules;
    std::vector<Job> silent;
    store_.read([&](Transaction& tx) {
        schedules = tx.enabled_schedules_before(to_millis(now));
        silent = tx.jobs_with_lease_before(to_millis(now));
    });
    Tick out;
    run_schedules(schedules, now, out);
    end_leases(silent, now, out);
    const auto groups = groups_.tick(now, watch_.even_since());
    out.created += groups.created;
    out.superseded += groups.superseded;
    out.given_up += groups.given_up;
    out.servers_with_work.insert(out.servers_with_work.end(), groups.servers_with_work.begin(),
                                 groups.servers_with_work.end());
    const std::int64_t forget = to_millis(now - replies_kept);
    if (watch_.even_since() <= now - replies_kept)
        store_.transact([&](Transaction& tx) { tx.forget_replies(forget); });
    return out;
}

void Scheduler::run_schedules(const std::vector<Schedule>& schedules, UtcTime now, Tick& out) {
    std::vector<Due> due;
    for (const auto& schedule : schedules) {
        const auto offset = splay_offset(schedule.id, schedule.splay);
        const UtcTime slot = from_millis(schedule.next_slot);
        if (slot + offset > now) continue;  // in its splay window
        const auto cron = Cron::try_parse(schedule.cron);
        if (!cron) {  // its own alert is raised; the others go on
            note_unreadable(schedule);
            continue;
        }
        const DueSlot newest = newest_due(*cron, slot, offset, now);
        Job job;
        job.id = random_uuid();
        job.server = schedule.server;
        job.kind = schedule.kind;
        job.schedule = schedule.id;
        job.slot = to_millis(newest.slot);
        job.created_by = "schedule";
        job.created = to_millis(now);
        due.push_back({&schedule, newest, std::move(job)});
    }
    in_slices(store_, due, [&](Transaction& tx, Due& entry) {
        const Schedule& schedule = *entry.schedule;
        entry.made = false;
        entry.superseded = 0;
        if (!tx.advance_schedule(schedule.id, schedule.next_slot, to_millis(entry.due.next))) return;
        for (const auto& older : tx.open_jobs_of_schedule(schedule.id)) {
            if (older.state != JobState::queued || older.slot == entry.job.slot) continue;
            const Problem problem{"timeout", "", "no agent took this job before the next slot was due",
                                  "Is the agent running, and can it reach the dispatcher?"};
            if (!tx.close_job(older.id, JobState::expired, problem, to_millis(now))) continue;
            ++entry.superseded;
            append_audit(tx, older, "job.expired", problem.text, now);
        }
        if (full_backup_at(tx, schedule, entry.due.slot)) return;
        entry.made = tx.add_job(entry.job);
        if (entry.made) append_audit(tx, entry.job, "job.due", "slot " + format_utc(entry.due.slot), now);
    });
    for (const auto& entry : due) {
        const Schedule& schedule = *entry.schedule;
        out.superseded += entry.superseded;
        if (entry.superseded > 0)
            log_event(Level::warning, "DISPATCHER_JOB_SUPERSEDED",
                      "server {}: a queued {} job was not taken in time", schedule.server, schedule.kind);
        if (!entry.made) continue;
        ++out.created;
        out.servers_with_work.push_back(schedule.server);
        log_event(Level::info, "DISPATCHER_JOB_DUE", "job {} {} for server {}, slot {}", entry.job.id,
                  entry.job.kind, schedule.server, format_utc(entry.due.slot));
    }
}

void Scheduler::note_unreadable(const Schedule& schedule) {
    const std::lock_guard lock(mutex_);
    if (!unreadable_.insert(schedule.id).second) return;  // said once
    log_event(Level::error, "DISPATCHER_SCHEDULE_UNREADABLE",
              "schedule {} of server {}: \"{}\" cannot be read, no {} runs by it", schedule.id,
              schedule.server, printable_line(schedule.cron, 100), schedule.kind);
}

void Scheduler::end_leases(const std::vector<Job>& silent, UtcTime now, Tick& out) {
    std::vector<Lost> lost;
    for (const auto& job : silent) lost.push_back({&job});
    in_slices(store_, lost, [&](Transaction& tx, Lost& entry) {
        const Job& job = *entry.job;
        entry.requeued = entry.closed = false;
        const auto current = tx.find_job(job.id);
        if (!current || current->lease_until != job.lease_until) return;  // renewed in between
        const bool tried_enough = job.attempts - job.attempts_before >= max_attempts;
        if (!job.group.empty() && (current->state == JobState::leased || tried_enough)) {
            // Nothing was begun, or it was too often: the next member.
            entry.requeued = take_back(tx, *current,
                                       tried_enough ? "its agent went silent in each attempt"
                                                    : "its agent took the job and went silent",
                                       tried_enough, now);
            return;
        }
        if (!tried_enough) {
            entry.requeued = tx.requeue_job(job.id, job.attempts);
            if (entry.requeued)
                append_audit(tx, job, "job.requeued",
                             "attempt " + std::to_string(job.attempts) + " went silent", now);
            return;
        }
        const Problem problem{
            "timeout", "", "the agent went silent in each of " + std::to_string(max_attempts) + " attempts",
            "See the agent's log on the host."};
        entry.closed = tx.close_job(job.id, JobState::expired, problem, to_millis(now));
        if (entry.closed) append_audit(tx, job, "job.expired", problem.text, now);
    });
    for (const auto& entry : lost) {
        const Job& job = *entry.job;
        if (entry.requeued) {
            ++out.requeued;
            out.servers_with_work.push_back(job.server);
            log_event(Level::warning, "DISPATCHER_LEASE_LOST",
                      "job {} {} of server {}: attempt {} of {} went silent", job.id, job.kind, job.server,
                      job.attempts, max_attempts);
        } else if (entry.closed) {
            ++out.given_up;
            log_event(Level::error, "DISPATCHER_JOB_EXPIRED",
                      "job {} {} of server {} given up after {} attempts", job.id, job.kind, job.server,
                      job.attempts);
        }
    }
}

}  // namespace strongroom::dispatcher
