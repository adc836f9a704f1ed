// Tells the dispatcher what it has not heard: backups made without its order, orders that were
// refused, sets that were pruned, proofs by restoring, and what the database server is and does.
#pragma once

#include "agent/job/backup_run.hpp"
#include "proto/exchange.hpp"

namespace strongroom::agent {

// Sends one agent.report and marks what it held as reported; proofs that the dispatcher leaves for later are
// kept, and sent again an hour later or if `always`. Without anything new nothing is sent, unless `always` or
// with a `state`. Throws what the exchange throws; nothing is marked then.
void report_runs(const Host& host, proto::Exchange& exchange, bool always,
                 const std::optional<proto::ServerState>& state = {});

}  // namespace strongroom::agent
