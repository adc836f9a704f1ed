#include "agent/daemon/schedule_book.hpp"

#include <algorithm>
#include <array>

#include "common/base/cron.hpp"
#include "common/base/encoding.hpp"

namespace strongroom::agent {
namespace {

// The newest slot in (`after`, `until`], looking back a year at most.
std::optional<UtcTime> newest_slot(const Cron& cron, UtcTime after, UtcTime until) {
    using std::chrono::hours;
    std::optional<UtcTime> found;
    for (const auto back : std::array{hours(1), hours(24), hours(24 * 31), hours(24 * 366)}) {
        UtcTime slot = cron.next_after(std::max(after, until - back));
        for (; slot <= until; slot = cron.next_after(slot)) found = slot;
        if (found || until - back <= after) break;
    }
    return found;
}

// A fixed share of the splay, so that many hosts with one schedule do not start at once.
std::chrono::seconds own_splay(const proto::ScheduleOrder& order) {
    if (order.splay_s <= 0) return std::chrono::seconds(0);
    const auto share = std::stoull(sha256_hex(order.id).substr(0, 12), nullptr, 16);
    return std::chrono::seconds(share % static_cast<std::uint64_t>(order.splay_s + 1));
}

bool same(const proto::ScheduleOrder& a, const proto::ScheduleOrder& b) {
    return a.id == b.id && a.kind == b.kind && a.cron == b.cron && a.splay_s == b.splay_s;
}

// Where a full backup is due, too, no increment is made.
bool has_full_slot(const ScheduleState& schedules, UtcTime slot) {
    return std::ranges::any_of(schedules.schedules, [&](const KnownSchedule& known) {
        const auto cron = Cron::try_parse(known.order.cron);
        return known.order.kind == "backup" && cron && cron->matches(slot);
    });
}

UtcTime last_done(const RunState& runs, const std::string& schedule) {
    std::int64_t newest = 0;
    for (const Run& run : runs.runs)
        if (run.backup.schedule == schedule) newest = std::max(newest, run.backup.slot.value_or(0));
    return from_millis(newest);
}

}  // namespace

std::optional<DueAlone> due_alone(const ScheduleState& schedules, const RunState& runs, UtcTime now,
                                  std::optional<UtcTime> last_contact) {
    for (const auto& known : schedules.schedules) {
        if (!proto::is_backup_kind(known.order.kind)) continue;
        const auto cron = Cron::try_parse(known.order.cron);
        if (!cron) continue;  // not by this agent's reckoning; the dispatcher may still order it
        const auto wait = own_splay(known.order) + dispatcher_grace;
        const UtcTime after = std::max({from_millis(known.since), from_millis(known.ordered.value_or(0)),
                                        last_done(runs, known.order.id)});
        const auto slot = newest_slot(*cron, after, now - wait);
        const bool increment = known.order.kind == "incremental";
        if (!slot || (increment && has_full_slot(schedules, *slot))) continue;
        const bool was_there = last_contact && *last_contact >= *slot + wait;
        if (was_there && now < *slot + wait + withheld_after) continue;
        return DueAlone{{std::nullopt, known.order.id, to_millis(*slot), increment}, was_there};
    }
    return std::nullopt;
}

const proto::ScheduleOrder* unreadable(const std::vector<proto::ScheduleOrder>& fresh) {
    const auto found = std::ranges::find_if_not(
        fresh, [](const auto& order) { return Cron::try_parse(order.cron).has_value(); });
    return found == fresh.end() ? nullptr : &*found;
}

ScheduleState merge(const ScheduleState& old, const std::vector<proto::ScheduleOrder>& fresh, UtcTime now) {
    ScheduleState out;
    for (const auto& order : fresh) {
        const auto before = std::ranges::find_if(
            old.schedules, [&](const KnownSchedule& known) { return same(known.order, order); });
        if (before == old.schedules.end())
            out.schedules.push_back({order, to_millis(now), {}});
        else
            out.schedules.push_back(*before);
    }
    return out;
}

bool note_ordered(ScheduleState& schedules, const std::string& schedule, std::int64_t slot) {
    const auto known = std::ranges::find_if(
        schedules.schedules, [&](const KnownSchedule& one) { return one.order.id == schedule; });
    if (known == schedules.schedules.end() || known->ordered.value_or(0) >= slot) return false;
    known->ordered = slot;
    return true;
}

}  // namespace strongroom::agent
