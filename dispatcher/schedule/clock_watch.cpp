#include "dispatcher/schedule/clock_watch.hpp"

#include <algorithm>

#include "common/base/cron.hpp"
#include "common/base/log.hpp"
#include "dispatcher/schedule/due_slot.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::chrono::minutes even{1};  // ticks come every second; more between two of them is a step

// The newest slot at or before `time`, if there is one after `since`.
std::optional<UtcTime> newest_slot(const Cron& cron, UtcTime since, UtcTime time) {
    UtcTime from = time;
    for (std::chrono::milliseconds back = std::chrono::minutes(1);; back *= 2) {
        from = std::max(since, time - back);
        if (cron.next_after(from) <= time) break;
        if (from == since) return std::nullopt;
    }
    return newest_due(cron, cron.next_after(from), std::chrono::seconds(0), time).slot;
}

// Where next_slot belongs, if it is elsewhere. `Any` is a Schedule or a GroupSchedule.
template <class Any>
std::optional<UtcTime> right_slot(Transaction& tx, const Any& schedule, UtcTime now) {
    const auto readable = Cron::try_parse(schedule.cron);
    if (!readable) return std::nullopt;  // the scheduler says so
    const Cron& cron = *readable;
    const UtcTime due = now - splay_offset(schedule.id, schedule.splay);
    const UtcTime since = std::min(from_millis(schedule.created), now);
    const UtcTime next = from_millis(schedule.next_slot);
    std::optional<UtcTime> target;
    if (next > cron.next_after(std::max(due, since))) {
        target = newest_slot(cron, since, due);
        if (!target || tx.find_slot_job(schedule.id, to_millis(*target)))
            target = cron.next_after(target.value_or(std::max(due, since)));
    } else if (next < due) {
        target = newest_slot(cron, next, due);  // all between coalesce into it
    }
    if (target && *target == next) return std::nullopt;
    return target;
}

void mend(Transaction& tx, UtcTime now) {
    constexpr std::int64_t for_ever = INT64_MAX;
    for (const auto& schedule : tx.enabled_schedules_before(for_ever))
        if (const auto slot = right_slot(tx, schedule, now))
            tx.advance_schedule(schedule.id, schedule.next_slot, to_millis(*slot));
    for (const auto& schedule : tx.group_schedules_before(for_ever))
        if (const auto slot = right_slot(tx, schedule, now))
            tx.advance_group_schedule(schedule.id, schedule.next_slot, to_millis(*slot));
    const std::int64_t latest = to_millis(now + longest_lease);
    for (const auto& job : tx.jobs_with_lease_before(for_ever))
        if (job.lease_until > latest) tx.renew_job(job.id, job.server, job.attempts, latest, job.progress);
}

}  // namespace

void ClockWatch::look(Store& store, UtcTime now) {
    const std::lock_guard lock(mutex_);
    const bool stepped = last_ && (now < *last_ || now - *last_ > even);
    if (!last_ || stepped) {
        even_since_ = now;
        mended_ = false;
    }
    if (stepped)
        log_event(Level::warning, "DISPATCHER_CLOCK_STEPPED", "the clock went from {} to {}",
                  format_utc(*last_), format_utc(now));
    last_ = now;
    if (mended_) return;
    store.transact([&](Transaction& tx) { mend(tx, now); });
    mended_ = true;
}

UtcTime ClockWatch::even_since() const {
    const std::lock_guard lock(mutex_);
    return even_since_;
}

}  // namespace strongroom::dispatcher
