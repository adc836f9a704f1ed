// Decides which slot of the saved schedules this agent has to do by itself. Pure: no files, no clock.
#pragma once

#include <optional>

#include "agent/job/backup_run.hpp"
#include "agent/state/records.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

// After a slot is due, the dispatcher has this long to order it before the agent goes on alone.
inline constexpr std::chrono::seconds dispatcher_grace{60};

// The newest due slot of a backup schedule that has no backup yet and that the dispatcher, to judge by the
// last contact with it, was not there to order. `now` is the present; call it only while the dispatcher is
// away. At most one slot is made up for, however many were missed.
std::optional<Origin> due_alone(const ScheduleState& schedules, const RunState& runs, UtcTime now,
                                std::optional<UtcTime> last_contact);

// What a reply's schedules become in schedule.json: `since` is kept for those that did not change.
ScheduleState merge(const ScheduleState& old, const std::vector<proto::ScheduleOrder>& fresh, UtcTime now);

}  // namespace strongroom::agent
