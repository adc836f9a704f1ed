// When schedules run: five-field cron expressions, in UTC (minute, hour, day of month, month, day of week),
// or an interval.
//
//   "30 2 * * *"         every day at 02:30
//   "*/15 8-17 * * MON-FRI"
//   "0 3 1,15 * SUN"     on the 1st, the 15th and on every Sunday (the OR rule of cron)
//   "every 90d"          each multiple of 90 days since 1970-01-01 00:00; m, h or d, from 1 minute to 3660
//   days
//
// A slot of an interval follows from the clock alone, so no restart and no second reader moves it. Each field
// is a list of `*`, a value, a range `a-b`, or one of these with a step `/n`; months and days may be English
// three-letter names in any case; day of week 7 is Sunday too. When neither day field starts with
// `*`, a day matches if either does; otherwise both must. There is no daylight saving in UTC, so no slot is
// skipped or doubled.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"

namespace strongroom {

class Cron {
  public:
    // Throws Error{usage} that names the field, also for expressions that can never match ("0 0 30 2 *").
    static Cron parse(std::string_view text);

    // For an expression that was accepted before, perhaps by another version: nothing if it cannot be read.
    static std::optional<Cron> try_parse(std::string_view text);

    // The first matching minute strictly after `time`; there always is one.
    UtcTime next_after(UtcTime time) const;

    // Whether the minute that `time` lies in matches.
    bool matches(UtcTime time) const;

  private:
    using Set = std::bitset<64>;

    bool day_matches(std::chrono::year_month_day day, std::chrono::weekday weekday) const;

    std::chrono::minutes every_{0};  // 0: the fields below decide
    Set minutes_;
    Set hours_;
    Set days_;
    Set months_;
    Set weekdays_;
    bool any_day_ = false;  // the field starts with '*'
    bool any_weekday_ = false;
};

// Where in its splay window a schedule runs: slot + offset, 0 <= offset < splay_s (0 without a window). It
// follows from the schedule's id alone (the first 8 bytes of SHA-256(id), big-endian, modulo splay_s), so
// that dispatcher and agent agree on it, and so that many servers with the same cron text do not start at
// once.
std::chrono::seconds splay_offset(std::string_view schedule_id, std::int64_t splay_s);

}  // namespace strongroom
