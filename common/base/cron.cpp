#include "common/base/cron.hpp"

#include <array>
#include <cctype>
#include <vector>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::array<std::string_view, 12> month_names{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                       "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> weekday_names{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct Field {
    const char* name;
    int min;
    int max;
    const std::string_view* names = nullptr;  // names[0] means `first_name`
    int name_count = 0;
    int first_name = 0;
};

constexpr std::array<Field, 5> fields{
    Field{"minute", 0, 59},
    Field{"hour", 0, 23},
    Field{"day of month", 1, 31},
    Field{"month", 1, 12, month_names.data(), month_names.size(), 1},
    Field{"day of week", 0, 7, weekday_names.data(), weekday_names.size(), 0},
};
constexpr int weekday_field = 4;

[[noreturn]] void bad(const Field& field, std::string_view text, std::string_view problem) {
    throw Error(
        ErrorKind::usage,
        std::string("cron field \"") + field.name + "\" " + std::string(problem) + ": \"" +
            printable_line(text, 60) + "\"",
        "Five fields: minute hour day-of-month month day-of-week, in UTC; \"30 2 * * *\" is every day at "
        "02:30.");
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    while (true) {
        const auto at = text.find(separator);
        out.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return out;
        text.remove_prefix(at + 1);
    }
}

std::vector<std::string_view> split_blank(std::string_view text) {
    std::vector<std::string_view> out;
    std::size_t at = 0;
    while (true) {
        at = text.find_first_not_of(" \t", at);
        if (at == std::string_view::npos) return out;
        const auto end = std::min(text.find_first_of(" \t", at), text.size());
        out.push_back(text.substr(at, end - at));
        at = end;
    }
}

int parse_number(const Field& field, std::string_view text, std::string_view whole) {
    if (text.empty() || text.size() > 3) bad(field, whole, "is not understood");
    int out = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') bad(field, whole, "is not understood");
        out = out * 10 + (c - '0');
    }
    return out;
}

int parse_value(const Field& field, std::string_view text, std::string_view whole) {
    if (text.size() == 3 && std::isalpha(static_cast<unsigned char>(text[0])) != 0) {
        std::string upper;
        for (const char c : text) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        for (int i = 0; i < field.name_count; ++i)
            if (field.names[i] == upper) return field.first_name + i;
    }
    const int value = parse_number(field, text, whole);
    if (value < field.min || value > field.max)
        bad(field, whole,
            "must be between " + std::to_string(field.min) + " and " + std::to_string(field.max));
    return value;
}

std::bitset<64> parse_field(const Field& field, std::string_view whole) {
    std::bitset<64> out;
    for (const std::string_view entry : split(whole, ',')) {
        const auto slash = entry.find('/');
        const std::string_view span = entry.substr(0, slash);
        int first = field.min;
        int last = field.max;
        const auto dash = span.find('-');
        if (span != "*") {
            first = parse_value(field, span.substr(0, dash), whole);
            last = first;
            if (dash != std::string_view::npos) {
                last = parse_value(field, span.substr(dash + 1), whole);
                if (&field == &fields[weekday_field] && last == 0) last = 7;  // FRI-SUN
                if (last < first) bad(field, whole, "has a range that runs backwards");
            }
        }
        int step = 1;
        if (slash != std::string_view::npos) {
            if (span != "*" && dash == std::string_view::npos)
                bad(field, whole, "has a step without a range");
            step = parse_number(field, entry.substr(slash + 1), whole);
            if (step < 1) bad(field, whole, "has a step of zero");
        }
        for (int value = first; value <= last; value += step) out.set(static_cast<std::size_t>(value));
    }
    return out;
}

// "90d"
minutes parse_interval(std::string_view text) {
    constexpr int most_digits = 5;
    const auto refuse = [&]() -> minutes {
        throw Error(ErrorKind::usage, "not an interval: \"every " + printable_line(text, 60) + "\"",
                    "A number and m, h or d, from 1 minute to 3660 days; \"every 90d\" is every 90 days.");
    };
    if (text.size() < 2 || text.size() > most_digits + 1) return refuse();
    int number = 0;
    for (const char c : text.substr(0, text.size() - 1)) {
        if (c < '0' || c > '9') return refuse();
        number = number * 10 + (c - '0');
    }
    const minutes unit = text.back() == 'm'   ? minutes(1)
                         : text.back() == 'h' ? minutes(hours(1))
                         : text.back() == 'd' ? minutes(days(1))
                                              : minutes(0);
    const minutes out = number * unit;
    return out >= minutes(1) && out <= days(3660) ? out : refuse();
}

}  // namespace

std::optional<Cron> Cron::try_parse(std::string_view text) {
    try {
        return parse(text);
    } catch (const Error&) {
        return std::nullopt;
    }
}

Cron Cron::parse(std::string_view text) {
    const auto parts = split_blank(text);
    if (parts.size() == 2 && parts[0] == "every") {
        Cron out;
        out.every_ = parse_interval(parts[1]);
        return out;
    }
    if (parts.size() != fields.size())
        throw Error(ErrorKind::usage,
                    "a cron expression has five fields, this has " + std::to_string(parts.size()) + ": \"" +
                        printable_line(text, 100) + "\"",
                    "minute hour day-of-month month day-of-week, in UTC; \"30 2 * * *\" is every day at "
                    "02:30. Or an interval: "
                    "\"every 90d\".");
    Cron out;
    out.minutes_ = parse_field(fields[0], parts[0]);
    out.hours_ = parse_field(fields[1], parts[1]);
    out.days_ = parse_field(fields[2], parts[2]);
    out.months_ = parse_field(fields[3], parts[3]);
    out.weekdays_ = parse_field(fields[4], parts[4]);
    if (out.weekdays_[7]) out.weekdays_.set(0);
    out.any_day_ = parts[2].starts_with('*');
    out.any_weekday_ = parts[4].starts_with('*');

    if (!out.any_day_ && out.any_weekday_) {  // only then can a day of month be one that never comes
        constexpr std::array<std::size_t, 13> longest{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool possible = false;
        for (std::size_t month = 1; month <= 12; ++month)
            for (std::size_t day = 1; day <= longest[month]; ++day)
                possible = possible || (out.months_[month] && out.days_[day]);
        if (!possible) bad(fields[2], text, "names a day that its months do not have");
    }
    return out;
}

bool Cron::day_matches(std::chrono::year_month_day day, std::chrono::weekday weekday) const {
    if (!months_[static_cast<unsigned>(day.month())]) return false;
    const bool by_day = days_[static_cast<unsigned>(day.day())];
    const bool by_weekday = weekdays_[weekday.c_encoding()];
    return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

bool Cron::matches(UtcTime time) const {
    if (every_.count() > 0)
        return std::chrono::floor<minutes>(time).time_since_epoch() % every_ == minutes(0);
    const auto day = std::chrono::floor<days>(time);
    const auto in_day = std::chrono::floor<minutes>(time - day);
    return day_matches(day, std::chrono::weekday(day)) &&
           hours_[static_cast<std::size_t>(in_day / hours(1))] &&
           minutes_[static_cast<std::size_t>((in_day % hours(1)).count())];
}

UtcTime Cron::next_after(UtcTime time) const {
    if (every_.count() > 0) {
        const auto since = std::chrono::floor<minutes>(time).time_since_epoch();
        return UtcTime((since / every_ + 1) * every_);
    }
    UtcTime candidate = std::chrono::floor<minutes>(time) + minutes(1);
    const UtcTime give_up = candidate + days(366 * 41);  // a 29 February on a given weekday: at most 40 years
    while (candidate < give_up) {
        const auto day = std::chrono::floor<days>(candidate);
        if (!day_matches(day, std::chrono::weekday(day))) {
            candidate = day + days(1);
            continue;
        }
        const auto hour = std::chrono::floor<hours>(candidate - day);
        if (!hours_[static_cast<std::size_t>(hour.count())]) {
            candidate = day + hour + hours(1);
            continue;
        }
        const auto minute = std::chrono::floor<minutes>(candidate - day - hour);
        if (minutes_[static_cast<std::size_t>(minute.count())]) return candidate;
        candidate += minutes(1);
    }
    throw Error(ErrorKind::internal, "a cron expression has no next time");  // parse() refuses these
}

std::chrono::seconds splay_offset(std::string_view schedule_id, std::int64_t splay_s) {
    if (splay_s <= 0) return std::chrono::seconds(0);
    const std::uint64_t number = std::stoull(sha256_hex(schedule_id).substr(0, 16), nullptr, 16);
    return std::chrono::seconds(static_cast<std::int64_t>(number % static_cast<std::uint64_t>(splay_s)));
}

}  // namespace strongroom
