// A token bucket: bytes pass at a rate that can be changed at any time, also while somebody waits.
//
// Fair: who asks first passes first, so parallel workers with pieces of about the same size get equal shares.
// A piece may be larger than the bucket; it then takes its tokens as they come. The bucket starts empty and
// holds one second's worth.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stop_token>

#include "common/base/steady_time.hpp"

namespace strongroom {

class RateLimiter {
  public:
    // Bytes per second; 0: no limit. `time` must outlive this.
    explicit RateLimiter(std::int64_t rate = 0, SteadyTime& time = steady_time());
    RateLimiter(const RateLimiter&) = delete;

    void set_rate(std::int64_t rate);  // any thread; those who wait go on at the new rate at once
    std::int64_t rate() const { return rate_; }
    std::int64_t passed() const { return passed_; }  // bytes so far, also those that no limit held back

    // Waits until `bytes` may pass. False if a request to stop came first. Any thread.
    bool take(std::int64_t bytes, const std::stop_token& stop = {});

  private:
    double grant(double wanted);

    SteadyTime& time_;
    std::atomic<std::int64_t> rate_;
    std::atomic<std::int64_t> passed_ = 0;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::uint64_t version_ = 0;  // of the rate and the queue
    std::deque<std::uint64_t> queue_;
    std::uint64_t next_ticket_ = 0;
    double tokens_ = 0;
    SteadyTime::Point filled_;
};

}  // namespace strongroom
