// The jobs of groups: a due slot makes one job, which one member after another is given until it is done.
//
// - One job for a (schedule, slot), as for a server's own schedule: a move changes who has it, by
//   compare-and-set, and never makes another one.
// - Whose turn it is says plan_job (member_choice.hpp). A job that nobody may have is held: it can be claimed
//   by nobody, and is looked at with each tick.
// - The next slot's job takes the place of one that still waits.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

class GroupJobs {
  public:
    explicit GroupJobs(Store& store) : store_(store) {}

    struct Done {
        std::vector<std::string> servers_with_work;
        std::size_t created = 0;
        std::size_t superseded = 0;
        std::size_t given_up = 0;
    };
    // Jobs for all slots that are due, and a member for each job that waits. `even_since`: since when this
    // dispatcher serves and its clock runs without a step: no silence is counted from before.
    Done tick(UtcTime now, UtcTime even_since);

  private:
    void make_due(const GroupSchedule& schedule, UtcTime now, Done& out);
    void place(const Job& job, UtcTime now, UtcTime even_since, Done& out);

    Store& store_;
};

// A lease of a group's job that ran out before its agent began: the job is taken from it, in this
// transaction. False if it changed meanwhile.
bool take_back(Transaction& tx, const Job& job, const std::string& why, bool final, UtcTime now);

}  // namespace strongroom::dispatcher
