#include "common/base/clock.hpp"

#include <array>
#include <cstdio>

#include "common/base/error.hpp"

namespace strongroom {
namespace {

struct Parts {
    int year;
    unsigned month;
    unsigned day;
    int hour;
    int minute;
    int second;
};

Parts split(UtcTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    return {static_cast<int>(date.year()),
            static_cast<unsigned>(date.month()),
            static_cast<unsigned>(date.day()),
            static_cast<int>(clock.hours().count()),
            static_cast<int>(clock.minutes().count()),
            static_cast<int>(clock.seconds().count())};
}

std::string format(const char* pattern, UtcTime time) {
    const Parts p = split(time);
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), pattern, p.year, p.month, p.day, p.hour, p.minute, p.second);
    return buffer.data();
}

}  // namespace

UtcTime SystemClock::now() const {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string format_utc(UtcTime time) {
    return format("%04d-%02u-%02uT%02d:%02d:%02dZ", time);
}
std::string format_compact(UtcTime time) {
    return format("%04d%02u%02uT%02d%02d%02dZ", time);
}

UtcTime parse_utc(std::string_view text) {
    Parts p{};
    int used = 0;
    const std::string copy(text);
    const int fields = std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2d:%2d:%2dZ%n", &p.year, &p.month, &p.day,
                                   &p.hour, &p.minute, &p.second, &used);
    const std::chrono::year_month_day date{std::chrono::year(p.year), std::chrono::month(p.month),
                                           std::chrono::day(p.day)};
    const bool fits = fields == 6 && used == 20 && text.size() == 20 && date.ok() && p.hour < 24 &&
                      p.minute < 60 && p.second < 60;
    if (fits) {
        const UtcTime time = std::chrono::sys_days(date) + std::chrono::hours(p.hour) +
                             std::chrono::minutes(p.minute) + std::chrono::seconds(p.second);
        if (format_utc(time) == text) return time;
    }
    throw Error(ErrorKind::protocol, "not a UTC time like 2026-11-22T01:37:00Z");
}

std::string format_duration(std::chrono::milliseconds duration) {
    const long long ms = duration.count();
    if (ms < 0) return "-" + format_duration(-duration);
    std::array<char, 64> buffer{};
    if (ms < 1000) {
        std::snprintf(buffer.data(), buffer.size(), "%lld ms", ms);
    } else if (ms < 60'000) {
        std::snprintf(buffer.data(), buffer.size(), "%.1f s", static_cast<double>(ms) / 1000);
    } else if (ms < 3'600'000) {
        std::snprintf(buffer.data(), buffer.size(), "%lld min %lld s", ms / 60'000, ms / 1000 % 60);
    } else {
        std::snprintf(buffer.data(), buffer.size(), "%lld h %lld min", ms / 3'600'000, ms / 60'000 % 60);
    }
    return buffer.data();
}

}  // namespace strongroom
