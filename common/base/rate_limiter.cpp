#include "common/base/rate_limiter.hpp"

#include <algorithm>

namespace strongroom {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double bucket_seconds = 1;
constexpr Seconds shortest_wait{0.002};
constexpr Seconds longest_wait{0.25};

}  // namespace

RateLimiter::RateLimiter(std::int64_t rate, SteadyTime& time)
    : time_(time), rate_(std::max<std::int64_t>(0, rate)), filled_(time.now()) {}

void RateLimiter::set_rate(std::int64_t rate) {
    const std::lock_guard lock(mutex_);
    rate = std::max<std::int64_t>(0, rate);
    if (rate == rate_) return;
    grant(0);  // what came in at the old rate
    tokens_ = rate_ == 0 ? 0 : std::min(tokens_, static_cast<double>(rate) * bucket_seconds);
    filled_ = time_.now();
    rate_ = rate;
    ++version_;
    changed_.notify_all();
}

// Fills the bucket up to now and takes as much of `wanted` as is there.
double RateLimiter::grant(double wanted) {
    const auto now = time_.now();
    if (rate_ == 0) return wanted;
    const auto rate = static_cast<double>(rate_);
    tokens_ = std::min(tokens_ + Seconds(now - filled_).count() * rate, rate * bucket_seconds);
    filled_ = now;
    const double given = std::min(wanted, tokens_);
    tokens_ -= given;
    return given;
}

bool RateLimiter::take(std::int64_t bytes, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = next_ticket_++;
    queue_.push_back(ticket);
    auto left = static_cast<double>(bytes);
    while (!stop.stop_requested()) {
        const bool my_turn = queue_.front() == ticket;
        Seconds pause = std::chrono::hours(1);
        if (my_turn) {
            const double before = left;
            left -= grant(left);
            passed_ += static_cast<std::int64_t>(before) - static_cast<std::int64_t>(left);
            if (left < 1) break;
            pause = std::clamp(Seconds(left / static_cast<double>(rate_)), shortest_wait, longest_wait);
        }
        const auto seen = version_;
        time_.wait(changed_, lock, stop, std::chrono::duration_cast<std::chrono::nanoseconds>(pause),
                   [&] { return version_ != seen; });
    }
    std::erase(queue_, ticket);
    ++version_;
    changed_.notify_all();
    return left < 1;
}

}  // namespace strongroom
