// A clock that stands still until the test turns it.
#pragma once

#include <atomic>

#include "common/base/clock.hpp"

namespace strongroom::test {

class FakeClock : public Clock {
  public:
    explicit FakeClock(UtcTime start = parse_utc("2026-11-22T01:37:00Z")) : millis_(to_millis(start)) {}
    UtcTime now() const override { return from_millis(millis_); }
    void set(UtcTime time) { millis_ = to_millis(time); }
    void advance(std::chrono::milliseconds by) { millis_ += by.count(); }

  private:
    std::atomic<std::int64_t> millis_;
};

}  // namespace strongroom::test
