// Time that only goes forward, and waiting in it. What paces, backs off or measures rates takes a SteadyTime,
// so that tests need not wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>

namespace strongroom {

class SteadyTime {
  public:
    using Point = std::chrono::steady_clock::time_point;

    virtual ~SteadyTime() = default;
    virtual Point now() const;  // any thread
    // Waits at most `limit`; returns early when `changed` is notified and `ready` says true, or at a request
    // to stop. `lock` is held when `ready` is called and on return.
    virtual void wait(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock,
                      const std::stop_token& stop, std::chrono::nanoseconds limit,
                      const std::function<bool()>& ready);

    // Sleeps for `limit`. False if a request to stop came first.
    bool sleep(std::chrono::nanoseconds limit, const std::stop_token& stop);
};

// The machine's own.
SteadyTime& steady_time();

}  // namespace strongroom
