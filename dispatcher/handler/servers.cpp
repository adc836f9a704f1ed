// What a user sees of servers: the servers, their backups, the audit log.
#include "common/base/cron.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "dispatcher/handler/escrow_requests.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "dispatcher/handler/on_the_wire.hpp"
#include "dispatcher/handler/recoverable.hpp"

namespace strongroom::dispatcher {
namespace {

proto::Server describe_server(const Context& context, const Server& server) {
    proto::Server out;
    out.server = server.uuid;
    out.label = server.label;
    out.identity = server.identity;
    out.subkey = server.subkey;
    out.recovery = server.recovery;
    out.recovery_sequence = unless_zero(server.recovery_sequence);
    out.registered = server.registered;
    out.last_seen = unless_zero(server.last_seen);
    out.retired = server.retired != 0;
    if (const auto record = newest_record(context.tx, server.uuid, server.subkey)) {
        out.escrowed = record->deposited;
        if (const auto proof = proof_of(context.tx, *record)) {
            out.proven = proof->proven;
            out.proven_by = proof->user;
            out.recoverable = context.now_ms() - proof->proven <= proof_window(context.tx);
        }
    }
    if (const auto fetched = recent_escrow_requests(context, server.uuid)) {
        out.fetched = fetched->time;
        out.fetched_by = fetched->by;
        out.fetches = fetched->count;
    }
    for (const auto& change : context.tx.list_identity_changes(server.uuid)) {
        if (change.state == "pending") {
            out.identity_pending = change.next_key;
        } else {
            out.identity_changed = change.told;
            out.identity_before = change.current_key;
        }
    }
    const auto backups = context.tx.list_backups(server.uuid, 1);
    if (!backups.empty()) {
        out.last_backup = backups.front().finished;
        out.last_set = backups.front().set;
    }
    if (const auto last = context.tx.last_proven_backup(server.uuid)) out.restored = proof_on_the_wire(*last);
    if (const auto last = context.tx.last_unproven_backup(server.uuid))
        out.not_restored = proof_on_the_wire(*last);
    for (const auto& job : context.tx.list_jobs(server.uuid, 20)) {
        if (job.state == JobState::succeeded) break;
        if (job.problem.kind.empty() || job.state == JobState::cancelled) continue;
        out.last_problem = printable_line(job.kind + ": " + job.problem.text, 1500);
        break;
    }
    if (const auto report = context.tx.find_server_state(server.uuid)) {
        out.state = server_state(*report);
        out.state_reported = report->reported;
    }
    if (const auto named = context.tx.find_verifiers(server.uuid)) out.verifiers = named->fingerprints;
    out.version = server.version;
    out.store = unless_empty(server.store);
    out.source = unless_empty(server.source);
    return out;
}

}  // namespace

proto::ServerList::Reply server_list(const Context& context, const proto::ServerList&) {
    proto::ServerList::Reply reply;
    for (const auto& server : context.tx.list_servers(context.user().fingerprint)) {
        if (reply.servers.size() == proto::max_list) break;
        reply.servers.push_back(describe_server(context, server));
    }
    reply.servers = as_many_as_fit(std::move(reply.servers));
    return reply;
}

proto::ServerShow::Reply server_show(const Context& context, const proto::ServerShow& input) {
    const Server server = owned_server(context, input.server);
    proto::ServerShow::Reply reply;
    reply.info = describe_server(context, server);
    for (const auto& schedule : context.tx.list_schedules(server.uuid)) {
        const auto due = from_millis(schedule.next_slot) + splay_offset(schedule.id, schedule.splay);
        reply.schedules.push_back({schedule.id, schedule.kind, schedule.cron, schedule.splay,
                                   schedule.enabled != 0 ? to_millis(due) : 0});
    }
    reply.public_key = server.public_key;
    return reply;
}

proto::ServerRetire::Reply server_retire(const Context& context, const proto::ServerRetire& input) {
    const Server server = owned_server(context, input.server);
    if (!context.tx.retire_server(server.uuid, context.now_ms()))
        throw Error(ErrorKind::refused, "server " + server.uuid + " is retired already");
    context.wake.push_back(server.uuid);  // its agent's wait ends
    context.audit("server.retire", server.uuid, "retired; its token works no more, its escrow records stay");
    return {};
}

proto::BackupList::Reply backup_list(const Context& context, const proto::BackupList& input) {
    const Server server = owned_server(context, input.server);
    proto::BackupList::Reply reply;
    for (const auto& backup : context.tx.list_backups(server.uuid, input.limit))
        reply.backups.push_back(on_the_wire(backup));
    reply.backups = as_many_as_fit(std::move(reply.backups));
    return reply;
}

proto::BackupForget::Reply backup_forget(const Context& context, const proto::BackupForget& input) {
    return {forget_backups(context, owned_server(context, input.server).uuid, input.sets)};
}

proto::AuditList::Reply audit_list(const Context& context, const proto::AuditList& input) {
    proto::AuditList::Reply reply;
    for (const auto& entry : context.tx.list_audit(context.user().fingerprint, input.limit))
        reply.entries.push_back(
            {entry.seq, entry.time, entry.actor, entry.action, entry.object,
             entry.outcome == "ok" ? entry.text : "refused (" + entry.outcome + "): " + entry.text});
    reply.entries = as_many_as_fit(std::move(reply.entries));
    return reply;
}

}  // namespace strongroom::dispatcher
