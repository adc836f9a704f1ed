// Times of day in which this host lets backups begin, by its own clock and time zone ("01:00-05:00", also
// across midnight). What the wall clock shows counts: in the hour that is repeated when summer time ends both
// passes do, and a window inside the hour that is left out does not come on that day.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"

namespace strongroom::agent {

class BackupWindows {
  public:
    BackupWindows() = default;  // none: any time
    // Throws Error{config} naming the text: HH:MM-HH:MM, from 00:00 to 24:00, end excluded, not empty.
    explicit BackupWindows(const std::vector<std::string>& texts);

    bool any() const { return !windows_.empty(); }
    bool contains(UtcTime time) const;  // true if there are none
    // The first whole minute after `time` that one contains; none within two days: it lies in the hour that
    // is left out when summer time begins.
    std::optional<UtcTime> next(UtcTime time) const;
    std::string text() const { return text_; }  // "01:00-05:00, 22:00-23:30"

  private:
    struct Window {
        int from = 0;  // minutes since midnight
        int to = 0;    // over 1440: on the next day
    };
    std::vector<Window> windows_;
    std::string text_;
};

// "14:03", as the host's clock shows it.
std::string local_time_of_day(UtcTime time);

}  // namespace strongroom::agent
