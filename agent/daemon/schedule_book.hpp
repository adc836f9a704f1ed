// Decides which slot of the saved schedules this agent has to do by itself. Pure: no files, no clock.
#pragma once

#include <optional>

#include "agent/job/backup_run.hpp"
#include "agent/state/records.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

// After a slot is due, the dispatcher has this long to order it before the agent goes on alone.
inline constexpr std::chrono::seconds dispatcher_grace{60};

// A dispatcher that is there and does not order a due slot may have its reasons (a job that was cancelled,
// one that still waits), or be dishonest: after so long the agent goes on alone, too.
inline constexpr std::chrono::hours withheld_after{1};

struct DueAlone {
    Origin origin;
    bool withheld =
        false;  // the dispatcher was there, and did not order it; else: do it only while it is away
};

// The newest due slot of a backup schedule that has no backup yet and that the dispatcher did not order,
// because, to judge by the last contact with it, it was not there, or although it was. `now` is the present.
// At most one slot is made up for, however many were missed.
std::optional<DueAlone> due_alone(const ScheduleState& schedules, const RunState& runs, UtcTime now,
                                  std::optional<UtcTime> last_contact);

// The first of a reply's schedules that this agent cannot keep by itself (its times are not five cron
// fields), or nullptr. A reply with such a one changes nothing: the schedules that are known stay.
const proto::ScheduleOrder* unreadable(const std::vector<proto::ScheduleOrder>& fresh);

// What a reply's schedules become in schedule.json: `since` and `ordered` are kept for those that did not
// change.
ScheduleState merge(const ScheduleState& old, const std::vector<proto::ScheduleOrder>& fresh, UtcTime now);

// Notes that the dispatcher ordered this slot of a schedule. False if nothing changed.
bool note_ordered(ScheduleState& schedules, const std::string& schedule, std::int64_t slot);

}  // namespace strongroom::agent
