#include "client/command/commands.hpp"
#include "client/command/own_servers.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

std::string state_of(const proto::Server& server) {
    if (server.retired) return "retired";
    if (server.last_problem) return "problem";
    if (server.identity_pending) return "new identity";
    if (!server.escrowed) return "no escrow";
    const bool only_verifies = server.source == "none";  // other servers' sets
    if (!server.last_backup && !only_verifies) return "no backup";
    if (!server.recoverable) return "not proven";
    return "ok";
}

std::string shown_proof(const proto::Server& server) {
    if (!server.proven)
        return "never: nobody showed that the escrow record opens (strongroom prove --server " +
               server.server + ")";
    return shown_time(server.proven) + " by " + group_fingerprint(server.proven_by.value_or("")) +
           (server.recoverable ? "" : "; that is too long ago, prove it again");
}

// A proof that failed after the last good one goes before it.
const std::optional<proto::SetProof>& last_restore(const proto::Server& server) {
    const bool failed =
        server.not_restored && (!server.restored || server.not_restored->time >= server.restored->time);
    return failed ? server.not_restored : server.restored;
}

std::string shown_restore(const proto::Server& server) {
    const auto& last = last_restore(server);
    if (!last) return "never";
    return (last->proven ? "" : "FAILED ") + shown_time(last->time);
}

std::string told_restore(const proto::Server& server, OwnServers& others) {
    const auto& last = last_restore(server);
    if (!last) return "never";
    return shown_restore(server) + (last->by ? " by server " + others.named(*last->by) : "") + ": " +
           last->text;
}

std::string shown_identity(const proto::Server& server) {
    std::string out = group_fingerprint(server.identity);
    if (server.identity_changed)
        out += "; changed " + shown_time(server.identity_changed) + " from " +
               group_fingerprint(server.identity_before.value_or(""));
    if (server.identity_pending)
        out += "; " + group_fingerprint(*server.identity_pending) +
               " waits for your approval: strongroom server identity";
    return out;
}

std::string shown_fetches(const proto::Server& server) {
    if (!server.fetched) return "not within 30 days";
    return shown_time(server.fetched) + " by " + group_fingerprint(server.fetched_by.value_or("")) + ", " +
           std::to_string(server.fetches) + " time(s) within 30 days";
}

std::string told_state(const proto::Server& server) {
    if (!server.state) return "not reported";
    return printable_line(shown_replication(*server.state), 600) + "; told " +
           shown_time(server.state_reported);
}

std::string shown_role(const proto::Server& server) {
    return server.state ? server.state->role : "-";
}

std::string shown_logs(const proto::ServerState& state) {
    if (!state.logs) return "not streamed: moments between backups cannot be restored";
    const auto& logs = *state.logs;
    std::string out = logs.covered == 0
                          ? "nothing stored yet"
                          : "up to " + shown_time(logs.covered) + " (" + printable_line(logs.file, 200) +
                                ", byte " + std::to_string(logs.offset) + "), without a gap since " +
                                shown_time(logs.since);
    if (logs.gap_why) out += "; before that " + printable_line(*logs.gap_why, 400);
    if (logs.problem) out += "; NOT STORED NOW: " + printable_line(*logs.problem, 400);
    return out;
}

// Whose proofs of its sets count besides its own.
void print_verifiers(Context& context, const proto::Server& server, OwnServers& others) {
    if (!server.verifiers) return;
    if (server.verifiers->empty())
        return term::print_fields(context.out, {{"may be proven by", "itself alone"}});
    for (const auto& one : *server.verifiers)
        term::print_fields(context.out, {{"may be proven by", others.named_by_identity(one)}});
}

// The rest of what the agent said of its database server.
void print_state(Context& context, const proto::ServerState& state) {
    std::string space;
    for (const auto& one : state.space)
        space += (space.empty() ? "" : ", ") + one.of + " " + term::format_bytes(one.free) + " of " +
                 term::format_bytes(one.total);
    std::string engines;
    for (const auto& one : state.engines) engines += (engines.empty() ? "" : ", ") + one;
    std::string windows;
    for (const auto& one : state.windows) windows += (windows.empty() ? "" : ", ") + one;
    term::print_fields(
        context.out,
        {{"group", state.group.value_or("none")},
         {"database server", state.version.value_or("not known")},
         {"binary log", state.binlog.value_or("not known")},
         {"binary log stored", shown_logs(state)},
         {"encryption at rest", state.encryption
                                    ? *state.encryption + ": its keys are not in a physical backup"
                                    : std::string("none by the server")},
         {"engines", engines.empty() ? "all with transactions, as far as the agent sees" : engines},
         {"free space", space.empty() ? "not known" : space},
         {"backup windows", windows.empty() ? "any time" : windows + ", the host's local time"}});
}

void list(Context& context) {
    const auto reply = context.session().ask(proto::ServerList{});
    for (const auto& server : reply.servers) remember(context, server.server, server.label, server.identity);
    if (context.config.json) return context.print_json(to_json(reply));
    term::Table table({{"SERVER"},
                       {"LABEL"},
                       {"STATE"},
                       {"GROUP"},
                       {"ROLE"},
                       {"ESCROWED"},
                       {"PROVEN"},
                       {"LAST BACKUP"},
                       {"PROVEN BY RESTORE"},
                       {"LAST SEEN"}});
    for (const auto& one : reply.servers)
        table.add({one.server, one.label, state_of(one), one.state ? one.state->group.value_or("-") : "-",
                   shown_role(one), shown_time(one.escrowed), shown_time(one.proven),
                   shown_time(one.last_backup), shown_restore(one), shown_time(one.last_seen)});
    table.print(context.out, "no servers yet: strongroom registration create --label NAME");
}

void show(Context& context, const std::string& server) {
    const auto reply = context.session().ask(proto::ServerShow{server});
    const auto& info = reply.info;
    remember(context, info.server, info.label, info.identity);
    if (context.config.json) return context.print_json(to_json(reply));
    OwnServers others(context);
    std::string recovery;
    for (const auto& one : info.recovery) recovery += (recovery.empty() ? "" : ", ") + group_fingerprint(one);
    term::print_fields(context.out, {{"server", info.server},
                                     {"label", info.label},
                                     {"state", state_of(info)},
                                     {"identity key", shown_identity(info)},
                                     {"decryption subkey", group_fingerprint(info.subkey)},
                                     {"recovery keys", recovery},
                                     {"registered", shown_time(info.registered)},
                                     {"last seen", shown_time(info.last_seen)},
                                     {"escrowed", shown_time(info.escrowed)},
                                     {"proven", shown_proof(info)},
                                     {"escrow fetched", shown_fetches(info)},
                                     {"last backup", shown_time(info.last_backup)},
                                     {"last set", info.last_set.value_or("none")},
                                     {"proven by restore", told_restore(info, others)},
                                     {"last problem", info.last_problem.value_or("none")},
                                     {"source", info.source.value_or("not reported")},
                                     {"store", info.store.value_or("not reported")},
                                     {"replication", told_state(info)},
                                     {"agent version", info.version}});
    print_verifiers(context, info, others);
    if (info.state) print_state(context, *info.state);
    for (const auto& one : reply.schedules)
        term::print_fields(context.out, {{"schedule", one.kind + " at \"" + one.cron + "\" UTC, next " +
                                                          shown_time(one.next_due)}});
}

void retire(Context& context, const std::string& server) {
    const auto reply = context.session().ask(proto::ServerRetire{server});
    if (context.config.json) return context.print_json(to_json(reply));
    context.out << "server " << server
                << " is retired: it gets no more jobs; its escrow record and its sets stay\n";
}

}  // namespace

void add_server_commands(Commands& commands) {
    CLI::App* group = commands.group("server", "The servers that you own");
    auto server = std::make_shared<std::string>();
    commands.add(group, "list", "All your servers", "strongroom server list", list);
    commands
        .add(group, "show", "One server with its keys and schedules",
             "strongroom server show 0b0c7a52-6f0d-4a5e-9f55-0a4de9f5b2c1",
             [server](Context& c) { show(c, *server); })
        ->add_option("server", *server, "Server UUID")
        ->required();
    add_server_identity_command(commands, group);
    commands
        .add(group, "retire", "Give a server no more jobs; keeps its escrow record",
             "strongroom server retire 0b0c7a52-6f0d-4a5e-9f55-0a4de9f5b2c1",
             [server](Context& c) { retire(c, *server); })
        ->add_option("server", *server, "Server UUID")
        ->required();
}

}  // namespace strongroom::client
