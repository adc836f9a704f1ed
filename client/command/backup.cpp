#include "client/command/commands.hpp"
#include "client/command/own_servers.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/store_server.hpp"
#include "common/backupset/set_list.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

struct Arguments {
    std::string server;
    std::string store;
    std::string identity;
    std::string as_of;
    std::int64_t limit = 100;
};

std::string shown_proof(const proto::Backup& backup, OwnServers& others) {
    if (!backup.proof) return "never";
    return (backup.proof->proven ? "" : "FAILED ") + shown_time(backup.proof->time) +
           (backup.proof->by ? " by " + others.named(*backup.proof->by) : "");
}

void list_of_dispatcher(Context& context, const Arguments& arguments) {
    const auto reply = context.session().ask(proto::BackupList{arguments.server, arguments.limit});
    if (context.config.json) return context.print_json(to_json(reply));
    term::Table table({{"SET"},
                       {"KIND"},
                       {"CREATED"},
                       {"SIZE", term::Align::right},
                       {"STORED", term::Align::right},
                       {"SOURCE"},
                       {"STORE"},
                       {"PROVEN BY RESTORE"}});
    OwnServers others(context);
    for (const auto& one : reply.backups)
        table.add({one.set, one.kind, shown_time(one.created), term::format_bytes(one.plain_bytes),
                   term::format_bytes(one.stored_bytes), one.source, one.store, shown_proof(one, others)});
    table.print(context.out, "no backups yet");
}

// Reads and verifies the manifests themselves: what is listed is there and signed.
void list_of_store(Context& context, const Arguments& arguments) {
    PatientStore store(context, arguments.store, 0, arguments.as_of);
    const StoreServer server(context, *store, arguments.server, arguments.identity, arguments.store,
                             arguments.as_of);
    const auto sets = backupset::list_sets(*store, server.id, server.signers());
    if (context.config.json) {
        Json out = Json::array();
        for (const auto& one : sets) {
            Json row{{"set", one.set}, {"trusted", one.manifest.has_value()}};
            if (one.manifest) {
                row["kind"] = one.manifest->kind;
                if (one.manifest->scope) row["scope"] = *one.manifest->scope;
                row["created"] = one.manifest->created;
                row["stream"] = one.manifest->stream;
                row["plain_bytes"] = one.manifest->plain_total;
                row["stored_bytes"] = one.manifest->stored_total;
            } else {
                row["problem"] = one.problem;
            }
            out.push_back(std::move(row));
        }
        return context.print_json(Json{{"sets", std::move(out)}});
    }
    term::Table table({{"SET"},
                       {"KIND"},
                       {"CREATED"},
                       {"SIZE", term::Align::right},
                       {"STORED", term::Align::right},
                       {"SOURCE"},
                       {"PROBLEM"}});
    for (const auto& one : sets) {
        if (one.manifest)
            table.add({one.set, one.manifest->scope ? "part" : one.manifest->kind, one.manifest->created,
                       term::format_bytes(one.manifest->plain_total),
                       term::format_bytes(one.manifest->stored_total), one.manifest->source_tool, ""});
        else
            table.add({one.set, "?", "?", "?", "?", "?", one.problem});
    }
    table.print(context.out, "no committed backup set of this server in " + store->label());
}

void forget(Context& context, const std::string& server, const std::vector<std::string>& sets) {
    const auto reply = context.session().ask(proto::BackupForget{server, sets});
    if (context.config.json) return context.print_json(to_json(reply));
    context.out << reply.forgotten << " backup(s) are no longer listed by the dispatcher\n";
}

}  // namespace

void add_backup_commands(Commands& commands) {
    CLI::App* group = commands.group("backup", "Backup sets");
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        group, "list", "Backup sets of a server, as reported or straight from the store",
        "strongroom backup list --server UUID --store file:///srv/backups", [arguments](Context& c) {
            if (arguments->store.empty()) return list_of_dispatcher(c, *arguments);
            list_of_store(c, *arguments);
        });
    command->add_option("--server", arguments->server, "Server UUID")->required();
    command->add_option("--store", arguments->store, "Read the store itself; needs no dispatcher")
        ->type_name("URL");
    add_as_of_option(*command, arguments->as_of);
    add_identity_option(*command, arguments->identity);
    command->add_option("--limit", arguments->limit, "How many (from the dispatcher)")
        ->check(CLI::Range(1, 1000));

    auto sets = std::make_shared<std::vector<std::string>>();
    CLI::App* forgetting = commands.add(
        group, "forget", "Tell the dispatcher that sets are gone from the store; removes nothing itself",
        "strongroom backup forget --server UUID --set 20261122T013700Z-3f9a2c1b",
        [arguments, sets](Context& c) { forget(c, arguments->server, *sets); });
    forgetting->add_option("--server", arguments->server, "Server UUID")->required();
    forgetting->add_option("--set", *sets, "Set id (repeat for more)")->required()->allow_extra_args(false);
}

}  // namespace strongroom::client
