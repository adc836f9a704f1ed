// What time does to jobs: due slots become jobs, lost leases go back to the queue, old replies are forgotten.
//
// - A due slot makes one job, however many dispatchers and restarts: the store moves the schedule on by
//   compare-and-set and takes one job for a (schedule, slot).
// - Missed runs coalesce: after an outage only the latest due slot gets a job.
// - A slot that a full backup has, too, makes no increment.
// - A job of a schedule that nobody claimed before its next slot is due is superseded by that slot's job.
// - A group's job goes from member to member (group_jobs.hpp).
// - A lease that ran out puts its job back; after `max_attempts` claims the job is expired.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "dispatcher/schedule/clock_watch.hpp"
#include "dispatcher/schedule/group_jobs.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

inline constexpr std::int64_t max_attempts = 3;

class Scheduler {
  public:
    // Both must outlive it. Thread-safe; several dispatchers may run one each on the same store.
    Scheduler(Store& store, const Clock& clock) : store_(store), clock_(clock), groups_(store) {}

    struct Tick {
        std::vector<std::string> servers_with_work;  // to wake their agents
        std::size_t created = 0;
        std::size_t superseded = 0;
        std::size_t requeued = 0;
        std::size_t given_up = 0;
    };
    // Does all that is due now. Throws what the store throws; schedules and jobs are changed by the hundred
    // in one transaction.
    Tick tick();

  private:
    struct Due;
    struct Lost;
    void run_schedules(const std::vector<Schedule>& schedules, UtcTime now, Tick& out);
    void note_unreadable(const Schedule& schedule);
    void end_leases(const std::vector<Job>& silent, UtcTime now, Tick& out);

    Store& store_;
    const Clock& clock_;
    GroupJobs groups_;
    ClockWatch watch_;
    std::mutex mutex_;
    std::set<std::string> unreadable_;  // ids of schedules whose cron text cannot be read
};

// The first slot of a schedule that is made now.
std::int64_t first_slot(const std::string& cron, UtcTime now);

}  // namespace strongroom::dispatcher
