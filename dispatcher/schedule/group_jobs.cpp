#include "dispatcher/schedule/group_jobs.hpp"

#include <algorithm>

#include "common/base/cron.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "dispatcher/schedule/due_slot.hpp"
#include "dispatcher/schedule/job_audit.hpp"
#include "dispatcher/schedule/member_choice.hpp"

namespace strongroom::dispatcher {
namespace {

// Where the group has a full backup due, too, no increment is made.
bool group_has_full_at(Transaction& tx, const GroupSchedule& schedule, UtcTime slot) {
    if (schedule.kind != "incremental") return false;
    const auto others = tx.list_group_schedules(schedule.owner);
    return std::ranges::any_of(others, [&](const GroupSchedule& other) {
        const auto cron = Cron::try_parse(other.cron);
        return other.group == schedule.group && other.kind == "backup" && cron && cron->matches(slot);
    });
}

Problem given_up(const std::vector<JobMove>& moves, const std::string& text, const std::string& hint) {
    std::string who;
    for (const auto& move : moves) who += "; " + move.server + ": " + move.reason;
    return {"timeout", "member", printable_line(text + who, 1900), hint};
}

void audit_group_job(Transaction& tx, const Job& job, const std::string& action, const std::string& text,
                     UtcTime now) {
    audit_job(tx, job, "group " + job.group, action, text, now);
}

// What becomes of a job that waits; nothing if its server is gone.
JobPlan plan_of(Transaction& tx, const Job& job, const std::vector<JobMove>& moves, UtcTime now,
                UtcTime even_since) {
    const auto owner = tx.find_server(job.server);
    if (!owner) return {};
    const auto schedule = tx.find_group_schedule(job.schedule);
    return plan_job(job, schedule ? schedule->primary_after : 0, tx.group_members(owner->owner, job.group),
                    moves, to_millis(now), to_millis(even_since));
}

}  // namespace

bool take_back(Transaction& tx, const Job& job, const std::string& why, bool final, UtcTime now) {
    const JobMove move{job.id, job.server, to_millis(now), final ? 1 : 0, printable_line(why, 500)};
    if (!tx.move_job(job, "", move, to_millis(now))) return false;
    audit_group_job(tx, job, "job.taken_back", "from server " + job.server + ": " + why, now);
    return true;
}

void GroupJobs::make_due(const GroupSchedule& schedule, UtcTime now, Done& out) {
    const auto cron = Cron::try_parse(schedule.cron);
    if (!cron) return;  // its alert is raised
    const auto offset = splay_offset(schedule.id, schedule.splay);
    if (from_millis(schedule.next_slot) + offset > now) return;
    const DueSlot due = newest_due(*cron, from_millis(schedule.next_slot), offset, now);
    Job job;
    job.id = random_uuid();
    job.kind = schedule.kind;
    job.schedule = schedule.id;
    job.slot = to_millis(due.slot);
    job.created_by = "schedule";
    job.created = to_millis(now);
    job.group = schedule.group;
    job.held = 1;
    bool made = false;
    bool empty = false;
    std::size_t superseded = 0;
    store_.transact([&](Transaction& tx) {
        made = empty = false;
        superseded = 0;
        if (!tx.advance_group_schedule(schedule.id, schedule.next_slot, to_millis(due.next))) return;
        for (const auto& older : tx.open_jobs_of_schedule(schedule.id)) {
            if (older.state != JobState::queued || older.slot == job.slot) continue;
            const auto problem = given_up(tx.list_job_moves(older.id),
                                          "no member made this backup before the next slot was due",
                                          "strongroom group list says what stands in their way.");
            if (!tx.close_job(older.id, JobState::expired, problem, to_millis(now))) continue;
            ++superseded;
            audit_group_job(tx, older, "job.expired", problem.text, now);
        }
        const auto members = tx.group_members(schedule.owner, schedule.group);
        empty = members.empty();
        if (empty || group_has_full_at(tx, schedule, due.slot)) return;
        job.server = members.front().server;  // held: it is given to nobody by that
        made = tx.add_job(job);
        if (made) audit_group_job(tx, job, "job.due", "slot " + format_utc(due.slot), now);
    });
    out.superseded += superseded;
    if (superseded > 0)
        log_event(Level::warning, "DISPATCHER_JOB_SUPERSEDED",
                  "group {}: a {} job was made by no member in time", schedule.group, schedule.kind);
    if (empty)
        log_event(Level::error, "DISPATCHER_GROUP_EMPTY", "group {}: slot {} is due, and no server is in it",
                  schedule.group, format_utc(due.slot));
    if (!made) return;
    ++out.created;
    log_event(Level::info, "DISPATCHER_JOB_DUE", "job {} {} for group {}, slot {}", job.id, job.kind,
              job.group, format_utc(due.slot));
}

void GroupJobs::place(const Job& seen, UtcTime now, UtcTime even_since, Done& out) {
    using Step = JobPlan::Step;
    JobPlan plan;
    bool done = false;
    Problem problem;
    store_.transact([&](Transaction& tx) {
        plan = {};
        done = false;
        const auto job = tx.find_job(seen.id);
        if (!job || job->state != JobState::queued) return;
        const auto moves = tx.list_job_moves(job->id);
        plan = plan_of(tx, *job, moves, now, even_since);
        const JobMove nobody;
        switch (plan.step) {
            case Step::keep:
                return;
            case Step::give:
                done = tx.move_job(*job, plan.server, plan.move.value_or(nobody), to_millis(now));
                if (done)
                    audit_group_job(
                        tx, *job, "job.given",
                        "to server " + plan.server + ": " + plan.reason +
                            (plan.move ? "; before, server " + job->server + ": " + plan.move->reason
                                       : std::string()),
                        now);
                return;
            case Step::hold:
                done = take_back(tx, *job, plan.move ? plan.move->reason : "", false, now);
                return;
            case Step::fail:
                problem = given_up(moves, "each member of the group has failed",
                                   "Do what the texts say on these hosts.");
                done = tx.close_job(job->id, JobState::failed, problem, to_millis(now));
                if (done) audit_group_job(tx, *job, "job.failed", problem.text, now);
                return;
        }
    });
    if (!done) return;
    if (plan.step == Step::give) {
        out.servers_with_work.push_back(plan.server);
        log_event(Level::info, "DISPATCHER_JOB_GIVEN", "job {} of group {} to server {}: {}", seen.id,
                  seen.group, plan.server, plan.reason);
        if (plan.primary)
            log_event(Level::warning, "DISPATCHER_PRIMARY_BACKED_UP",
                      "job {} of group {} goes to server {}, which is no replica: {}", seen.id, seen.group,
                      plan.server, plan.reason);
    } else if (plan.step == Step::hold) {
        log_event(Level::warning, "DISPATCHER_JOB_HELD", "job {} of group {}: no member may have it now: {}",
                  seen.id, seen.group, plan.reason);
    } else {
        ++out.given_up;
        log_event(Level::error, "DISPATCHER_JOB_FAILED", "job {} {} of group {}: {}", seen.id, seen.kind,
                  seen.group, problem.text);
    }
}

GroupJobs::Done GroupJobs::tick(UtcTime now, UtcTime even_since) {
    std::vector<GroupSchedule> schedules;
    store_.read([&](Transaction& tx) { schedules = tx.group_schedules_before(to_millis(now)); });
    Done out;
    for (const auto& schedule : schedules) make_due(schedule, now, out);
    std::vector<Job> jobs;
    store_.read([&](Transaction& tx) {
        jobs.clear();
        for (auto& job : tx.queued_group_jobs()) {
            // Most ticks find nothing to do: seen without a write.
            const auto plan = plan_of(tx, job, tx.list_job_moves(job.id), now, even_since);
            if (plan.step != JobPlan::Step::keep) jobs.push_back(std::move(job));
        }
    });
    for (const auto& job : jobs) place(job, now, even_since, out);
    return out;
}

}  // namespace strongroom::dispatcher
