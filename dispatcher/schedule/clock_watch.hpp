// A clock that is set, forward or back, must neither lose nor double anything. What a step would break, and
// what is done about it:
//
//   schedules  next_slot lies a step too far ahead, and no backup would run until then: it
//              is put back to the newest slot that is due and has no job; a step forward is
//              taken in one go, not slot by slot
//   leases     end a step too late: no lease ends later than the longest there is, from now
//   replies    would be forgotten too early, and a repeated message would act twice: they
//              are kept until the clock has run evenly for as long as they must be kept
#pragma once

#include <mutex>
#include <optional>

#include "common/base/clock.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

inline constexpr std::chrono::hours longest_lease{1};  // PROTOCOL.md: lease_ms

class ClockWatch {
  public:
    // With each tick, before its work. Looks through schedules and leases at the start and after a step; else
    // it costs nothing. Throws what the store throws, and then does its work the next time.
    void look(Store& store, UtcTime now);

    // Since when the clock runs without a step, as far as this process knows.
    UtcTime even_since() const;

  private:
    mutable std::mutex mutex_;
    std::optional<UtcTime> last_;
    UtcTime even_since_{};
    bool mended_ = false;  // since the last step
};

}  // namespace strongroom::dispatcher
