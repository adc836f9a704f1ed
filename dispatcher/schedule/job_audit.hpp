// What the scheduler does with jobs, in the audit log.
#pragma once

#include <string>

#include "common/base/clock.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

// Into the log of the owner of the job's server, in the transaction of the change. `whom` the job is for:
// "server UUID", "group NAME".
void audit_job(Transaction& tx, const Job& job, const std::string& whom, const std::string& action,
               const std::string& text, UtcTime now);

}  // namespace strongroom::dispatcher
