// Time is UTC, in milliseconds. Everything that decides by time takes a Clock, so tests can turn it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace strongroom {

using UtcTime = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
  public:
    virtual ~Clock() = default;
    virtual UtcTime now() const = 0;  // any thread
};

class SystemClock : public Clock {
  public:
    UtcTime now() const override;
};

inline std::int64_t to_millis(UtcTime time) {
    return time.time_since_epoch().count();
}
inline UtcTime from_millis(std::int64_t millis) {
    return UtcTime(std::chrono::milliseconds(millis));
}

// "2026-11-22T01:37:00Z" (seconds, for people and manifests). Parsing throws Error{protocol} on anything
// else.
std::string format_utc(UtcTime time);
UtcTime parse_utc(std::string_view text);

// "20261122T013700Z": the sortable stamp at the start of a set id.
std::string format_compact(UtcTime time);

// "3 h 12 min", "45 s", "820 ms": for people.
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace strongroom
