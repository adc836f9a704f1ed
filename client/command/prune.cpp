#include "common/maintenance/prune.hpp"

#include <algorithm>

#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/store_server.hpp"
#include "common/base/error.hpp"
#include "common/config/quantity.hpp"
#include "common/maintenance/log_prune.hpp"
#include "common/maintenance/shown.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

using maintenance::PruneAction;
using maintenance::PruneStep;

struct Arguments {
    std::string store;
    std::string server;
    std::string identity;
    maintenance::PruneRules rules;
    bool apply = false;
};

// So that its list stays true. Who prunes with the store alone has none to tell.
void tell_dispatcher(Context& context, const std::string& server, const std::vector<std::string>& removed) {
    if (removed.empty() || context.config.dispatcher.empty() || context.config.token_file.empty()) return;
    try {
        for (std::size_t at = 0; at < removed.size(); at += proto::max_list) {
            const auto first = removed.begin() + static_cast<std::ptrdiff_t>(at);
            const auto count = std::min(proto::max_list, removed.size() - at);
            context.session().ask(
                proto::BackupForget{server, {first, first + static_cast<std::ptrdiff_t>(count)}});
        }
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::interrupted) throw;
        context.say("warning: the dispatcher was not told, and lists what was removed: " + error.text() +
                    "\nTell it later: strongroom backup forget --server " + server + " --set " +
                    removed.front() + (removed.size() > 1 ? " --set ..." : ""));
    }
}

// What a store that keeps versions keeps of the sets that went.
void say_kept(Context& context, const std::vector<PruneStep>& plan) {
    for (const auto& step : plan)
        if (step.kept.versions > 0)
            context.say(step.set + " is hidden, and takes room still: " + maintenance::text_of(step.kept) +
                        ". The bucket's owner or its lifecycle rule removes them");
}

void print(Context& context, const Arguments& arguments, const std::vector<PruneStep>& plan,
           const maintenance::LogPrunePlan& logs) {
    if (context.config.json)
        return context.print_json({{"server", arguments.server},
                                   {"applied", arguments.apply},
                                   {"logs", maintenance::json_of(logs)},
                                   {"sets", maintenance::to_json(plan)}});
    maintenance::table_of(plan).print(context.out, "no backup set of this server");
    if (const auto text = maintenance::text_of(logs); !text.empty()) context.say(text);
    if (const auto number = std::ranges::count(plan, false, &PruneStep::verified); number > 0)
        context.say(std::to_string(number) +
                    " set(s) stay because they were not verified: strongroom verify --server " +
                    arguments.server + " --store URL");
    if (!arguments.apply) context.say("Nothing was changed. To do these steps: --apply");
}

void run(Context& context, const Arguments& arguments) {
    if (!arguments.rules.keep.any())
        throw Error(ErrorKind::usage, "no rule says what stays",
                    "For example: --keep-daily 7 --keep-weekly 5 --keep-monthly 12");
    PatientStore store(context, arguments.store);
    const StoreServer server(context, *store, arguments.server, arguments.identity);
    maintenance::VerificationLog log(verification_log_file(context, server.id), server.id,
                                     server.signers().fingerprints(), log_signer(context, false));
    maintenance::Prune prune(server.trusted(), log, arguments.rules, context.clock.now());
    const auto plan = prune.plan();
    const auto logs =
        maintenance::plan_log_prune(server.trusted(), plan, arguments.rules.logs_within, context.clock.now());
    print(context, arguments, plan, logs);
    if (!arguments.apply) return;
    std::vector<std::string> removed;
    try {
        prune.apply(
            plan,
            [&](const PruneStep& step) {
                context.check_interrupted();
                if (step.action == PruneAction::remove) context.say("removing set " + step.set);
            },
            [&](const std::string& set) { removed.push_back(set); });
    } catch (const Error&) {
        tell_dispatcher(context, server.id, removed);
        throw;
    }
    maintenance::apply_log_prune(server.trusted(), logs, [&] { context.check_interrupted(); });
    say_kept(context, plan);
    tell_dispatcher(context, server.id, removed);
}

}  // namespace

void add_prune_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        commands.program(), "prune",
        "Remove sets that no rule keeps: shows what would go, and does it with --apply.\n"
        "First a set is marked; it goes with a later run, after the grace time. Only sets that were "
        "verified\n"
        "(strongroom verify) count towards a rule; what was not verified stays, and so does the newest that\n"
        "can be restored. Sets that were begun and not finished a day later go the same way",
        "strongroom prune --server UUID --store file:///srv/backups --keep-daily 7 --keep-weekly 5\n"
        "  strongroom prune --server UUID --store file:///srv/backups --keep-last 10 --keep-within 30d "
        "--apply",
        [arguments](Context& c) { run(c, *arguments); });
    command->add_option("--server", arguments->server, "Server UUID")->required();
    add_store_option(*command, arguments->store);
    add_identity_option(*command, arguments->identity);
    const auto rule = [&](const char* name, std::int64_t& value, const char* text) {
        command->add_option(name, value, text)->check(CLI::Range(0, 100'000))->group("Rules");
    };
    rule("--keep-last", arguments->rules.keep.last, "The newest N");
    rule("--keep-hourly", arguments->rules.keep.hourly, "The newest of each of N hours that have one (UTC)");
    rule("--keep-daily", arguments->rules.keep.daily, "... of N days");
    rule("--keep-weekly", arguments->rules.keep.weekly, "... of N weeks, which begin on Monday");
    rule("--keep-monthly", arguments->rules.keep.monthly, "... of N months");
    rule("--keep-yearly", arguments->rules.keep.yearly, "... of N years");
    const auto duration = [&](const char* name, std::chrono::seconds& value, const char* text) {
        return command
            ->add_option_function<std::int64_t>(
                name, [&value](std::int64_t seconds) { value = std::chrono::seconds(seconds); }, text)
            ->transform(config::as_duration());
    };
    duration("--keep-within", arguments->rules.keep.within,
             "All that are at most so much older than the newest: 30d")
        ->group("Rules");
    duration("--keep-logs-within", arguments->rules.logs_within,
             "Pieces of the binary log stay for so long (default: as long as a set that they go on from)")
        ->group("Rules");
    duration("--grace", arguments->rules.grace, "Time between mark and removal")->default_str("7d");
    duration("--verified-within", arguments->rules.verified_within,
             "A verification counts only if it is not older (default: for ever)");
    command->add_flag("--drop-damaged", arguments->rules.drop_bad,
                      "Sets that are not good go too, if a newer one can be restored");
    command->add_flag("--apply", arguments->apply, "Do the steps that are shown");
}

}  // namespace strongroom::client
