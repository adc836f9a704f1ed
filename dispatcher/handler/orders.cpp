// What a user orders: schedules and jobs.
#include <algorithm>

#include "common/base/cron.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "dispatcher/handler/on_the_wire.hpp"
#include "dispatcher/schedule/scheduler.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::int64_t max_queued_by_hand = 20;  // for one server

void require_active(const Server& server) {
    if (server.retired != 0)
        throw Error(ErrorKind::refused, "server " + server.uuid + " is retired",
                    "Its backups and keys stay.");
}

}  // namespace

proto::ScheduleSet::Reply schedule_set(const Context& context, const proto::ScheduleSet& input) {
    const Server server = owned_server(context, input.server);
    require_active(server);
    if (input.cron.empty()) {
        if (!context.tx.remove_schedule(server.uuid, input.kind))
            throw Error(ErrorKind::not_found, "server " + server.uuid + " has no schedule for " + input.kind);
        context.audit("schedule.set", server.uuid, input.kind + " schedule removed");
        context.wake.push_back(server.uuid);
        return {};
    }
    Schedule schedule;
    schedule.id = random_uuid();
    schedule.server = server.uuid;
    schedule.kind = input.kind;
    schedule.cron = input.cron;
    schedule.splay = input.splay_s;
    schedule.created = context.now_ms();
    schedule.next_slot = first_slot(input.cron, context.now);  // Error{usage} names the field
    context.tx.put_schedule(schedule);
    context.audit(
        "schedule.set", server.uuid,
        input.kind + " at \"" + input.cron + "\" UTC, splay " + std::to_string(input.splay_s) + " s");
    context.wake.push_back(server.uuid);
    return {schedule.id};
}

proto::JobCreate::Reply job_create(const Context& context, const proto::JobCreate& input) {
    const Server server = owned_server(context, input.server);
    require_active(server);
    const auto jobs = context.tx.list_jobs(server.uuid, 100);
    if (std::ranges::count_if(jobs, [](const Job& job) { return job.state == JobState::queued; }) >=
        max_queued_by_hand)
        throw Error(ErrorKind::refused,
                    "server " + server.uuid + " has " + std::to_string(max_queued_by_hand) +
                        " jobs in its queue already",
                    "Is its agent running? `strongroom job list` shows them.");
    Job job;
    job.id = random_uuid();
    job.server = server.uuid;
    job.kind = input.kind;
    job.created_by = context.user().fingerprint;
    job.created = context.now_ms();
    context.tx.add_job(job);
    context.audit("job.create", job.id, input.kind + " for server " + server.uuid);
    context.wake.push_back(server.uuid);
    return {job.id};
}

proto::JobList::Reply job_list(const Context& context, const proto::JobList& input) {
    std::vector<Job> jobs;
    if (input.server) {
        jobs = context.tx.list_jobs(owned_server(context, *input.server).uuid, input.limit);
    } else {
        for (const auto& server : context.tx.list_servers(context.user().fingerprint))
            for (auto& job : context.tx.list_jobs(server.uuid, input.limit)) jobs.push_back(std::move(job));
        std::ranges::stable_sort(jobs, std::greater<>{}, &Job::created);
        if (jobs.size() > static_cast<std::size_t>(input.limit))
            jobs.resize(static_cast<std::size_t>(input.limit));
    }
    proto::JobList::Reply reply;
    for (const auto& job : jobs) {
        reply.jobs.push_back(on_the_wire(job));
        if (job.group.empty()) continue;
        std::string moved;
        for (const auto& move : context.tx.list_job_moves(job.id))
            moved += (moved.empty() ? "" : "; ") + move.server + ": " + move.reason;
        if (!moved.empty()) reply.jobs.back().moved = printable_line(moved, 1900);
    }
    reply.jobs = as_many_as_fit(std::move(reply.jobs));
    return reply;
}

proto::JobCancel::Reply job_cancel(const Context& context, const proto::JobCancel& input) {
    const Job job = owned_job(context, input.job);
    const Problem problem{"interrupted", "", "cancelled by the user", ""};
    if (!context.tx.close_job(job.id, JobState::cancelled, problem, context.now_ms()))
        throw Error(ErrorKind::refused,
                    "job " + job.id + " has ended already: " + std::string(name(job.state)));
    context.audit("job.cancel", job.id, job.kind + " of server " + job.server + " cancelled");
    return {std::string(name(JobState::cancelled))};
}

}  // namespace strongroom::dispatcher
