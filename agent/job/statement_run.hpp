// What the daemon does with a statement that the dispatcher brought.
#pragma once

#include <stop_token>
#include <string>

#include "agent/job/backup_run.hpp"
#include "proto/exchange.hpp"

namespace strongroom::agent {

// Applies it or refuses it, deposits what that makes due, logs and answers. What fails for another reason
// than the statement itself is logged, and tried again when the dispatcher brings it again. Throws
// Error{interrupted} when the process stops.
void run_statement(const Host& host, const std::string& base64, proto::Exchange& exchange,
                   const std::stop_token& stop);

}  // namespace strongroom::agent
