// What an agent asks and tells about its work.
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "dispatcher/handler/escrow_requests.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "dispatcher/handler/on_the_wire.hpp"
#include "dispatcher/handler/restore_proofs.hpp"
#include "dispatcher/schedule/scheduler.hpp"

namespace strongroom::dispatcher {
proto::JobNext::Reply job_next(const Context& context, const proto::JobNext& input) {
    Server server = context.server();
    context.tx.touch_server(server.uuid, context.now_ms());
    if (server.version != input.version) {
        server.version = input.version;
        context.tx.describe_server(server);
    }
    const std::int64_t lease_ms = context.lease.count();
    proto::JobNext::Reply reply;
    if (const auto job = context.tx.claim_job(server.uuid, context.now_ms(), context.now_ms() + lease_ms)) {
        reply.job = proto::JobOrder{job->id,
                                    job->kind,
                                    job->attempts,
                                    lease_ms,
                                    unless_empty(job->schedule),
                                    unless_zero(job->slot),
                                    unless_empty(job->group)};
        context.audit(
            "job.next", job->id,
            job->kind + " handed to server " + server.uuid + ", attempt " + std::to_string(job->attempts));
    }
    for (const auto& schedule : context.tx.list_schedules(server.uuid))
        if (schedule.enabled != 0)
            reply.schedules.push_back({schedule.id, schedule.kind, schedule.cron, schedule.splay});
    reply.escrow_fetched = recent_escrow_requests(context, server.uuid);
    context.tx.schedules_told(server.uuid);
    if (auto pending = context.tx.pending_statement(server.uuid))
        reply.statement = std::move(pending->statement);
    return reply;
}

proto::JobProgress::Reply job_progress(const Context& context, const proto::JobProgress& input) {
    const Job job = owned_job(context, input.job);
    context.tx.touch_server(job.server, context.now_ms());
    const std::int64_t lease_ms = context.lease.count();
    const Progress progress{input.stage,       input.plain_bytes,      input.stored_bytes,
                            input.total_bytes, input.rate.value_or(0), input.retries.value_or(0)};
    const bool held =
        context.tx.renew_job(job.id, job.server, input.attempt, context.now_ms() + lease_ms, progress);
    return {lease_ms, !held};  // cancelled by the user, or lost to a later attempt: stop
}

namespace {

void audit_backup(const Context& context, const std::string& server, const proto::Backup& backup) {
    context.audit("backup.reported", server,
                  backup.kind + " backup " + backup.set + " that no running job made" +
                      (backup.schedule ? ", for a slot of schedule " + *backup.schedule : std::string()));
}

// A member that was cut off made its group's backup after all, and nobody else has begun it: no second one.
void settle_slot(const Context& context, const Server& server, const proto::Backup& backup) {
    if (!backup.schedule || !backup.slot) return;
    auto job = context.tx.find_slot_job(*backup.schedule, *backup.slot);
    if (!job || job->group.empty() || job->state != JobState::queued || job->created > backup.finished)
        return;
    const auto holder = context.tx.find_server(job->server);
    if (!holder || holder->owner != server.owner) return;
    job->server = server.uuid;
    job->set = backup.set;
    job->finished = context.now_ms();
    if (context.tx.settle_job(*job))
        context.audit("job.finished", job->id,
                      job->kind + " of group " + job->group + " was made after all, set " + backup.set);
}

// A group is what the host itself names; it can only name servers of the same user (store.hpp).
void note_server_state(const Context& context, const std::string& server, const proto::ServerState& state) {
    const auto before = context.tx.find_server_state(server);
    const std::string group = state.group.value_or("");
    context.tx.put_server_state({server, context.now_ms(), group, to_json(state).dump()});
    if ((before ? before->group : "") != group)
        context.audit("agent.group", server,
                      group.empty() ? "is in no group any more" : "says that it is in group " + group);
}

// As it says of itself.
std::string description(const Server& server) {
    return "label " + server.label + ", version " + server.version + ", source " + server.source +
           ", store " + server.store;
}

}  // namespace

proto::JobFinished::Reply job_finished(const Context& context, const proto::JobFinished& input) {
    Job job = owned_job(context, input.job);
    if ((input.outcome == "failed") != input.problem.has_value())
        throw Error(ErrorKind::protocol, "a failed job has a problem, a succeeded one has none");
    if (proto::is_backup_kind(job.kind) && input.outcome == "succeeded" && !input.backup)
        throw Error(ErrorKind::protocol, "a backup job that succeeded names its backup set");
    context.tx.touch_server(job.server, context.now_ms());
    // A committed set exists whatever became of the job (cancelled too late, lost its lease): it is always
    // listed.
    const bool new_backup = input.backup && context.tx.put_backup(from_the_wire(*input.backup, job.server,
                                                                                job.id, context.now_ms()));

    if (input.proof) note_proofs(context, {&*input.proof, 1});

    const JobState before = job.state;
    job.state = input.outcome == "succeeded" ? JobState::succeeded : JobState::failed;
    job.attempts = input.attempt;
    job.finished = context.now_ms();
    if (input.backup) job.set = input.backup->set;
    if (input.problem)
        job.problem = {input.problem->kind, input.problem->stage, input.problem->text, input.problem->hint};
    // A group's job that failed is not over: the next member's turn. Whoever was not fit may be asked again.
    if (input.problem && !job.group.empty() && is_open(before)) {
        Job mine = job;
        mine.state = before;
        const bool unfit = input.problem->stage == proto::unfit_stage;
        if (take_back(context.tx, mine, input.problem->text, !unfit, context.now)) {
            log_event(Level::warning, "DISPATCHER_JOB_TAKEN_BACK", "job {} of group {} from server {}: {}",
                      job.id, job.group, job.server, input.problem->text);
            return {};
        }
    }
    if (!context.tx.finish_job(job)) {
        log_event(Level::info, "DISPATCHER_LATE_RESULT", "job {} was {} already when attempt {} reported {}",
                  job.id, name(before), input.attempt, input.outcome);
        if (new_backup) audit_backup(context, job.server, *input.backup);
        return {};
    }
    context.audit("job.finished", job.id,
                  job.kind + " " + input.outcome +
                      (input.problem ? ": " + printable_line(input.problem->text, 500) : std::string()) +
                      (input.backup ? ", set " + input.backup->set : std::string()));
    if (input.problem)
        log_event(Level::warning, "DISPATCHER_JOB_FAILED", "job {} {} of server {}: {}: {}", job.id, job.kind,
                  job.server, input.problem->kind, input.problem->text);
    return {};
}

proto::AgentReport::Reply agent_report(const Context& context, const proto::AgentReport& input) {
    Server server = context.server();
    context.tx.touch_server(server.uuid, context.now_ms());
    const std::string before = description(server);
    server.label = input.label;
    server.version = input.version;
    server.source = input.source;
    server.store = input.store;
    if (description(server) != before) {
        context.tx.describe_server(server);
        context.audit("agent.report", server.uuid,
                      printable_line("describes itself as " + description(server), 1500));
    }
    if (input.state) note_server_state(context, server.uuid, *input.state);
    for (const auto& backup : input.backups) {
        if (!context.tx.put_backup(from_the_wire(backup, server.uuid, "", context.now_ms()))) continue;
        audit_backup(context, server.uuid, backup);
        settle_slot(context, server, backup);
    }
    if (input.verifiers) note_verifiers(context, *input.verifiers);
    proto::AgentReport::Reply reply;
    if (input.proofs) {
        auto not_yet = note_proofs(context, *input.proofs);
        if (input.sends_again == true && !not_yet.empty()) reply.not_yet = std::move(not_yet);
    }
    if (input.removed) forget_backups(context, server.uuid, *input.removed);
    for (const auto& refusal : input.refusals) {
        context.audit("agent.refusal", server.uuid, printable_line(refusal, 1500));
        log_event(Level::warning, "DISPATCHER_AGENT_REFUSED", "server {}: {}", server.uuid, refusal);
    }
    return reply;
}

}  // namespace strongroom::dispatcher
