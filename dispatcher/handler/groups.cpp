// What a user orders and sees of groups. A group is the user's servers that name it: no other user's can be
// in it, whatever they name.
#include <set>

#include "common/base/cron.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "dispatcher/handler/on_the_wire.hpp"
#include "dispatcher/schedule/member_choice.hpp"
#include "dispatcher/schedule/scheduler.hpp"

namespace strongroom::dispatcher {
namespace {

proto::GroupList::Group describe_group(const Context& context, const std::string& name) {
    constexpr std::size_t most_members = 100;
    proto::GroupList::Group out;
    out.group = name;
    auto members = context.tx.group_members(context.user().fingerprint, name);
    if (members.size() > most_members) members.resize(most_members);
    proto::ServerState unread;
    unread.role = "unknown";
    for (const auto& member : members) {
        const auto standing = standing_of(member, context.now_ms(), 0);
        proto::GroupList::Member one;
        one.server = member.server;
        one.label = member.label;
        one.last_seen = unless_zero(member.last_seen);
        one.reported = member.reported;
        one.last_backup = unless_zero(member.last_backup);
        one.fit = standing.standing != proto::Standing::unfit;
        one.standing = printable_line(standing.reason, 1000);
        one.state = server_state({member.server, member.reported, name, member.state}).value_or(unread);
        out.members.push_back(std::move(one));
    }
    bool primary = false;
    for (const auto& schedule : context.tx.list_group_schedules(context.user().fingerprint)) {
        if (schedule.group != name) continue;
        const auto due = from_millis(schedule.next_slot) + splay_offset(schedule.id, schedule.splay);
        out.schedules.push_back({schedule.id, schedule.kind, schedule.cron, schedule.splay,
                                 schedule.primary_after, to_millis(due)});
        primary = primary || schedule.primary_after != proto::never_the_primary;
    }
    const auto choice = choose_member(members, {}, {context.now_ms(), 0, primary, false});
    out.next = choice.server;
    out.reason = printable_line(choice.reason, 1900);
    return out;
}

}  // namespace

proto::GroupScheduleSet::Reply group_schedule(const Context& context, const proto::GroupScheduleSet& input) {
    const std::string& owner = context.user().fingerprint;
    if (!proto::is_backup_kind(input.kind))
        throw Error(
            ErrorKind::refused, "a group has schedules of backups only",
            "Set one of kind " + input.kind + " for each server: strongroom schedule set --server UUID");
    if (input.cron.empty()) {
        if (!context.tx.remove_group_schedule(owner, input.group, input.kind))
            throw Error(ErrorKind::not_found, "group " + input.group + " has no schedule for " + input.kind);
        context.audit("group.schedule", input.group, input.kind + " schedule removed");
        return {};
    }
    if (context.tx.group_members(owner, input.group).empty())
        throw Error(ErrorKind::not_found, "no server of yours is in group " + input.group,
                    "Set group = \"" + input.group + "\" in the agent.toml of its hosts first.");
    GroupSchedule schedule;
    schedule.id = random_uuid();
    schedule.owner = owner;
    schedule.group = input.group;
    schedule.kind = input.kind;
    schedule.cron = input.cron;
    schedule.splay = input.splay_s;
    schedule.primary_after = input.primary_after_s;
    schedule.created = context.now_ms();
    schedule.next_slot = first_slot(input.cron, context.now);  // Error{usage} names the field
    context.tx.put_group_schedule(schedule);
    context.audit("group.schedule", input.group,
                  input.kind + " at \"" + input.cron + "\" UTC, splay " + std::to_string(input.splay_s) +
                      " s, the primary " +
                      (input.primary_after_s == proto::never_the_primary
                           ? std::string("never")
                           : "after " + std::to_string(input.primary_after_s) + " s"));
    return {schedule.id};
}

proto::GroupList::Reply group_list(const Context& context, const proto::GroupList&) {
    std::set<std::string> names;
    for (const auto& report : context.tx.list_server_states()) {
        if (report.group.empty()) continue;
        const auto server = context.tx.find_server(report.server);
        if (server && server->owner == context.user().fingerprint) names.insert(report.group);
    }
    for (const auto& schedule : context.tx.list_group_schedules(context.user().fingerprint))
        names.insert(schedule.group);
    proto::GroupList::Reply reply;
    for (const auto& name : names) {
        if (reply.groups.size() == proto::max_list) break;
        reply.groups.push_back(describe_group(context, name));
    }
    reply.groups = as_many_as_fit(std::move(reply.groups));
    return reply;
}

}  // namespace strongroom::dispatcher
