// Which slot of a schedule is due.
#pragma once

#include <chrono>

#include "common/base/clock.hpp"
#include "common/base/cron.hpp"

namespace strongroom::dispatcher {

struct DueSlot {
    UtcTime slot;
    UtcTime next;  // the one after it
};

// The newest due one, from `slot` on, which is due: those that passed while nobody looked are not made up
// for. `offset`: the schedule's splay.
inline DueSlot newest_due(const Cron& cron, UtcTime slot, std::chrono::seconds offset, UtcTime now) {
    UtcTime next = cron.next_after(slot);
    for (; next + offset <= now; next = cron.next_after(next)) slot = next;
    return {slot, next};
}

}  // namespace strongroom::dispatcher
