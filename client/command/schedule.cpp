#include "client/command/commands.hpp"
#include "client/command/shared_options.hpp"
#include "common/base/error.hpp"
#include "common/config/quantity.hpp"
#include "common/term/table.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

struct Arguments {
    std::string server;
    std::string kind = "backup";
    std::string cron;
    std::string every;
    std::int64_t splay = 0;
    bool remove = false;
    std::string group;
    std::string primary_after = "10min";
};

void set_for_group(Context& context, const Arguments& arguments, const std::string& cron) {
    proto::GroupScheduleSet order{arguments.group, arguments.kind, cron, arguments.splay, 0};
    order.primary_after_s = arguments.primary_after == "never"
                                ? proto::never_the_primary
                                : config::parse_duration(arguments.primary_after);
    const auto reply = context.session().ask(order);
    if (context.config.json) return context.print_json(to_json(reply));
    if (arguments.remove)
        context.out << "removed the " << arguments.kind << " schedule of group " << arguments.group << '\n';
    else
        context.out << arguments.kind << " of one member of group " << arguments.group << " at \"" << cron
                    << "\" UTC; the primary "
                    << (order.primary_after_s == proto::never_the_primary
                            ? std::string("never")
                            : "for want of a replica, after " + arguments.primary_after)
                    << '\n';
}

void set(Context& context, const Arguments& arguments) {
    const std::string cron = arguments.every.empty() ? arguments.cron : "every " + arguments.every;
    if (arguments.remove == !cron.empty() || (!arguments.every.empty() && !arguments.cron.empty()))
        throw Error(ErrorKind::usage, "exactly one of --cron, --every and --remove is needed",
                    "For example: --cron \"15 3 * * *\"");
    if (arguments.server.empty() == arguments.group.empty())
        throw Error(ErrorKind::usage, "exactly one of --server and --group is needed");
    if (!arguments.group.empty()) return set_for_group(context, arguments, cron);
    const auto reply =
        context.session().ask(proto::ScheduleSet{arguments.server, arguments.kind, cron, arguments.splay});
    if (context.config.json) return context.print_json(to_json(reply));
    if (arguments.remove)
        context.out << "removed the " << arguments.kind << " schedule of server " << arguments.server << '\n';
    else
        context.out << arguments.kind << " of server " << arguments.server << " at \"" << cron << "\" UTC\n";
}

void list(Context& context, const std::string& server) {
    const auto reply = context.session().ask(proto::ServerShow{server});
    remember(context, reply.info.server, reply.info.label, reply.info.identity);
    if (context.config.json) {
        Json out = Json::array();
        for (const auto& one : reply.schedules) out.push_back(to_json(one));
        return context.print_json(out);
    }
    term::Table table({{"KIND"}, {"WHEN (UTC)"}, {"SPLAY", term::Align::right}, {"NEXT"}});
    for (const auto& one : reply.schedules)
        table.add({one.kind, one.cron, std::to_string(one.splay_s) + " s", shown_time(one.next_due)});
    table.print(context.out, "no schedule: nothing is backed up by itself");
}

}  // namespace

void add_schedule_commands(Commands& commands) {
    CLI::App* group = commands.group("schedule", "When backups run");
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command =
        commands.add(group, "set", "Set or remove the schedule of a server, or of a group of replicas",
                     "strongroom schedule set --server UUID --cron \"15 3 * * *\" --splay 600\n"
                     "  strongroom schedule set --group shop --cron \"15 3 * * *\" --primary-after 30min",
                     [arguments](Context& c) { set(c, *arguments); });
    command->add_option("--server", arguments->server, "Server UUID");
    command
        ->add_option("--group", arguments->group,
                     "Instead: one job per slot for all servers whose agent.toml names this group")
        ->type_name("NAME");
    command
        ->add_option("--primary-after", arguments->primary_after,
                     "Of a group: when no replica is fit, back the primary up after this time; or never")
        ->type_name("TIME|never")
        ->capture_default_str();
    add_kind_option(*command, arguments->kind);
    command->add_option("--cron", arguments->cron, "Five fields, UTC: minute hour day month weekday");
    command
        ->add_option("--every", arguments->every,
                     "An interval, counted from 1970-01-01 00:00 UTC: 90d, 6h, 30m")
        ->type_name("TIME");
    command->add_option("--splay", arguments->splay, "Seconds by which starts are spread")
        ->check(CLI::Range(0, 86400));
    command->add_flag("--remove", arguments->remove, "Remove the schedule of this kind");
    commands
        .add(group, "list", "Schedules of a server", "strongroom schedule list --server UUID",
             [arguments](Context& c) { list(c, arguments->server); })
        ->add_option("--server", arguments->server, "Server UUID")
        ->required();
}

}  // namespace strongroom::client
