#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/stage_progress.hpp"
#include "client/command/store_server.hpp"
#include "common/backupset/set_list.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/maintenance/log_verification.hpp"
#include "common/maintenance/verification.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"

namespace strongroom::client {
namespace {

struct Arguments {
    std::string store;
    std::string server;
    std::string identity;
    maintenance::VerifyRun run;
    std::int64_t read_limit = 0;
};

struct ServerResult {
    std::string server;
    std::string identity;
    maintenance::ServerVerdict verdict;
};

std::vector<ServerResult> verify_all(Context& context, const Arguments& arguments) {
    PatientStore store(context, arguments.store, arguments.read_limit);
    StageProgress progress(context);
    const auto signer = log_signer(context, arguments.run.sign);
    std::vector<std::string> servers{arguments.server};
    if (arguments.server.empty()) servers = backupset::list_servers(*store);
    if (servers.empty())
        throw Error(ErrorKind::not_found, "there is no server in " + store->label(), "Check --store.");
    auto run = arguments.run;
    run.on_progress = [&](const std::string& set, const backupset::Progress& now) {
        context.check_interrupted();
        progress.update("verifying " + set, now.plain_bytes, now.total_bytes);
    };
    std::vector<ServerResult> out;
    for (const auto& id : servers) {
        const StoreServer server(context, *store, id, arguments.identity);
        maintenance::VerificationLog log(verification_log_file(context, id), id,
                                         server.signers().fingerprints(), signer);
        out.push_back(
            {id, server.identity, maintenance::verify_server(server.trusted(), log, context.clock, run)});
    }
    progress.leave();
    return out;
}

void print_json(Context& context, const std::vector<ServerResult>& results) {
    Json servers = Json::array();
    for (const auto& server : results) {
        Json sets = Json::array();
        for (const auto& verdict : server.verdict.sets) {
            Json findings = Json::array();
            for (const auto& finding : verdict.findings)
                findings.push_back({{"flaw", backupset::name(finding.flaw)},
                                    {"object", finding.object},
                                    {"text", finding.text}});
            sets.push_back({{"set", verdict.set},
                            {"result", verdict.result()},
                            {"flaws", verdict.flaws},
                            {"stored_bytes", verdict.manifest ? verdict.manifest->stored_total : 0},
                            {"segments", verdict.manifest ? verdict.manifest->segments.size() : 0},
                            {"findings", std::move(findings)}});
        }
        servers.push_back({{"server", server.server},
                           {"identity", server.identity},
                           {"committed", server.verdict.committed},
                           {"logs", maintenance::json_of(server.verdict.logs)},
                           {"sets", std::move(sets)}});
    }
    context.print_json({{"servers", std::move(servers)}});
}

void print_table(Context& context, const std::vector<ServerResult>& results) {
    for (const auto& server : results) {
        context.out << "server " << server.server << ", identity key " << group_fingerprint(server.identity)
                    << '\n';
        term::Table table({{"SET"},
                           {"SEGMENTS", term::Align::right},
                           {"READ", term::Align::right},
                           {"RESULT"},
                           {"PROBLEM"}});
        for (const auto& verdict : server.verdict.sets)
            table.add({verdict.set,
                       verdict.manifest ? std::to_string(verdict.manifest->segments.size()) : "?",
                       verdict.manifest ? term::format_bytes(verdict.manifest->stored_total) : "?",
                       verdict.result(), maintenance::one_line(verdict)});
        for (const auto& one : server.verdict.logs.bad)
            table.add({one.set, "?", "?", one.result(), maintenance::one_line(one)});
        table.print(context.out, "no committed backup set");
        if (const auto text = maintenance::text_of(server.verdict.logs); !text.empty()) context.say(text);
    }
}

void run(Context& context, const Arguments& arguments) {
    for (const auto& set : arguments.run.choice.sets)
        if (!is_set_id(set))
            throw Error(ErrorKind::usage, "\"" + set + "\" is no set id",
                        "Set ids look like 20261122T013700Z-3f9a2c1b; see `strongroom backup list`.");
    if (arguments.server.empty() && (!arguments.identity.empty() || !arguments.run.choice.sets.empty()))
        throw Error(ErrorKind::usage, "--identity and --set need --server",
                    "See `strongroom verify --help`.");
    const auto results = verify_all(context, arguments);
    if (context.config.json)
        print_json(context, results);
    else
        print_table(context, results);
    maintenance::Summary summary;
    for (const auto& server : results) summary.add(server.verdict);
    summary.require_all_good();
}

}  // namespace

void add_verify_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        commands.program(), "verify",
        "Check sets in a store without a key: signatures, chains, every object's digest.\n"
        "Exit code: 0 all good, 11 a manifest cannot be trusted, 12 an object is damaged, 5 one is missing,\n"
        "7 a chain is broken (the worst of them), 14 and 15 the store cannot be read",
        "strongroom verify --store file:///srv/backups\n"
        "  strongroom verify --store file:///srv/backups --server UUID --identity FPR --at-most 5 "
        "--read-limit 50MiB/s",
        [arguments](Context& c) { run(c, *arguments); });
    add_store_option(*command, arguments->store);
    command->add_option("--server", arguments->server, "Server UUID (default: all in the store)");
    add_identity_option(*command, arguments->identity);
    command->add_option("--set", arguments->run.choice.sets, "Only this set; may be repeated")
        ->type_name("ID");
    command
        ->add_option("--at-most", arguments->run.choice.at_most,
                     "So many sets of each server: never verified ones first, then the longest ago")
        ->check(CLI::Range(1, 1'000'000));
    command->add_option("--sample", arguments->run.choice.sample, "A random share of the sets, in percent")
        ->check(CLI::Range(1, 100));
    command
        ->add_option("--workers", arguments->run.read.workers,
                     "Objects read at once (default: one per core; over a network two, and at least 4)")
        ->check(CLI::Range(0, 256));
    add_read_limit_option(*command, arguments->read_limit);
    command->add_flag("--sign", arguments->run.sign, "Sign the log of what was verified with your key");
    command->add_flag("--forget-missing", arguments->run.choice.forget_missing,
                      "Sets that were verified once and are gone: take them off the log");
}

}  // namespace strongroom::client
