#include "client/command/commands.hpp"
#include "common/base/printable.hpp"
#include "common/term/table.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

std::string lag_of(const proto::ServerState& state) {
    std::optional<std::int64_t> most;
    for (const auto& source : state.sources)
        if (source.behind_s) most = std::max(most.value_or(0), *source.behind_s);
    return most ? std::to_string(*most) + " s" : "-";
}

void print_group(Context& context, const proto::GroupList::Group& group) {
    context.out << "group " << group.group << '\n';
    term::Table table({{"SERVER"},
                       {"LABEL"},
                       {"ROLE"},
                       {"LAG", term::Align::right},
                       {"FIT"},
                       {"LAST BACKUP"},
                       {"TOLD"},
                       {"WHY"}});
    for (const auto& one : group.members)
        table.add({one.server, one.label, one.state.role, lag_of(one.state), one.fit ? "yes" : "NO",
                   shown_time(one.last_backup), shown_time(one.reported), printable_line(one.standing, 120)});
    table.print(context.out, "no member: set group = \"" + group.group + "\" in agent.toml");
    for (const auto& one : group.schedules)
        term::print_fields(
            context.out,
            {{"schedule",
              one.kind + " at \"" + one.cron + "\" UTC, next " + shown_time(one.next_due) +
                  (one.primary_after_s == proto::never_the_primary
                       ? ", never of the primary"
                       : ", of the primary after " + std::to_string(one.primary_after_s) + " s")}});
    if (group.schedules.empty())
        term::print_fields(context.out, {{"schedule", "none: nothing is backed up by itself"}});
    term::print_fields(context.out, {{group.next ? "next backup of" : "next backup",
                                      (group.next ? *group.next + ": " : "of nobody: ") +
                                          printable_line(group.reason, 1900)}});
}

void list(Context& context) {
    const auto reply = context.session().ask(proto::GroupList{});
    if (context.config.json) return context.print_json(to_json(reply));
    for (const auto& group : reply.groups) print_group(context, group);
    if (reply.groups.empty())
        context.out << "no groups: set group = \"NAME\" in the agent.toml of servers that replicate from "
                       "each other\n";
}

}  // namespace

void add_group_commands(Commands& commands) {
    CLI::App* group =
        commands.group("group", "Servers that replicate from each other: one of them is backed up");
    commands.add(group, "list", "Your groups: their members, who is fit and why, and whose turn it is",
                 "strongroom group list", list);
}

}  // namespace strongroom::client
