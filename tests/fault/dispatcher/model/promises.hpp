// What the dispatcher acknowledged, and whether it holds.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/fault/dispatcher/model/peers.hpp"
#include "tests/fault/dispatcher/model/site.hpp"

namespace strongroom::test {

struct Promises {
    std::map<std::string, std::set<std::string>> schedules;  // server -> what its schedule may be
    std::set<std::string> created;                           // jobs
    std::size_t uncertain_jobs = 0;                          // ordered without an answer
    std::set<std::pair<std::string, std::string>> deposited;
    std::set<std::pair<std::string, std::string>> backups;
    std::set<std::pair<std::string, std::int64_t>> claims;
    BegunJobs begun;
    std::map<std::string, dispatcher::JobState> ended;  // as they were first seen to end

    // Throws Broken.
    void check(Site& site, const std::vector<Agent>& agents);

  private:
    void check_schedules(dispatcher::Transaction& tx, const Agent& agent) const;
    void check_job(const dispatcher::Job& job);
};

}  // namespace strongroom::test
