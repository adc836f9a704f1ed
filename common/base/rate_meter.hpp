// How fast a counter grows now: over the last seconds, not since the start. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <deque>

#include "common/base/steady_time.hpp"

namespace strongroom {

class RateMeter {
  public:
    explicit RateMeter(std::chrono::nanoseconds window = std::chrono::seconds(10)) : window_(window) {}

    // The counter's value at a time not before that of the last call.
    void add(SteadyTime::Point now, std::int64_t total) {
        points_.push_back({now, total});
        while (points_.size() > 2 && now - points_[1].time >= window_) points_.pop_front();
    }
    // Per second; 0 until it is known.
    std::int64_t per_second() const {
        if (points_.size() < 2) return 0;
        const std::chrono::duration<double> time = points_.back().time - points_.front().time;
        const auto grown = static_cast<double>(points_.back().total - points_.front().total);
        return time.count() <= 0 ? 0 : static_cast<std::int64_t>(grown / time.count());
    }

  private:
    struct Point {
        SteadyTime::Point time;
        std::int64_t total;
    };
    std::chrono::nanoseconds window_;
    std::deque<Point> points_;
};

}  // namespace strongroom
