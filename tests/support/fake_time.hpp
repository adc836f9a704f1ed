// Steady time that passes only by waiting: a wait ends at once, and the time is then later by its limit.
#pragma once

#include <atomic>
#include <vector>

#include "common/base/steady_time.hpp"

namespace strongroom::test {

// For one thread that waits at a time.
class FakeTime : public SteadyTime {
  public:
    Point now() const override { return Point(std::chrono::nanoseconds(nanos_)); }
    void wait(std::condition_variable_any&, std::unique_lock<std::mutex>&, const std::stop_token&,
              std::chrono::nanoseconds limit, const std::function<bool()>&) override {
        nanos_ += limit.count();
        waits.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(limit));
        if (on_wait) on_wait();
    }
    void advance(std::chrono::nanoseconds by) { nanos_ += by.count(); }
    double seconds() const { return static_cast<double>(nanos_) / 1e9; }

    std::vector<std::chrono::milliseconds> waits;
    std::function<void()> on_wait;

  private:
    std::atomic<std::int64_t> nanos_ = 0;
};

}  // namespace strongroom::test
