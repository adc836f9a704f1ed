#include "agent/policy/backup_window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

constexpr int day = 24 * 60;

int local_minute(UtcTime time) {
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    std::tm local{};
    ::localtime_r(&seconds, &local);
    return local.tm_hour * 60 + local.tm_min;
}

// Minutes since midnight of "HH:MM"; -1 for anything else.
int minute_of(std::string_view text) {
    if (text.size() != 5 || text[2] != ':') return -1;
    for (const std::size_t at : {0U, 1U, 3U, 4U})
        if (text[at] < '0' || text[at] > '9') return -1;
    const int hour = (text[0] - '0') * 10 + (text[1] - '0');
    const int minute = (text[3] - '0') * 10 + (text[4] - '0');
    if (minute > 59 || hour > 24 || (hour == 24 && minute != 0)) return -1;
    return hour * 60 + minute;
}

}  // namespace

BackupWindows::BackupWindows(const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
        const int from = text.size() == 11 && text[5] == '-' ? minute_of(text.substr(0, 5)) : -1;
        int to = from < 0 ? -1 : minute_of(text.substr(6));
        if (to < 0 || from == day || from == to)
            throw Error(ErrorKind::config, "\"" + printable_line(text, 40) + "\" is no backup window",
                        "HH:MM-HH:MM in this host's local time, as in \"01:00-05:00\" or \"22:00-04:00\".");
        if (to < from) to += day;
        windows_.push_back({from, to});
        text_ += (text_.empty() ? "" : ", ") + text;
    }
}

bool BackupWindows::contains(UtcTime time) const {
    if (windows_.empty()) return true;
    const int minute = local_minute(time);
    return std::ranges::any_of(windows_, [&](const Window& window) {
        return (minute >= window.from && minute < window.to) || minute + day < window.to;
    });
}

std::optional<UtcTime> BackupWindows::next(UtcTime time) const {
    const auto whole = std::chrono::floor<std::chrono::minutes>(time);
    for (int minute = 1; minute <= 2 * day; ++minute)
        if (contains(whole + std::chrono::minutes(minute))) return whole + std::chrono::minutes(minute);
    return std::nullopt;
}

std::string local_time_of_day(UtcTime time) {
    const int minute = local_minute(time);
    return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

}  // namespace strongroom::agent
