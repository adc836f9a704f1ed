// Proofs by restoring as a piece of this host's work, and how the dispatcher hears of them.
#pragma once

#include <stop_token>
#include <string>

#include "agent/job/backup_run.hpp"
#include "agent/proof/full_proof.hpp"

namespace strongroom::agent {

// For the dispatcher: which step failed, never a name or a value of the database.
proto::SetProof to_proof(const ProofResult& result);

// Opens the store, proves a set of `server` (this host, or one that it verifies for) at low priority, and
// keeps the outcome in runs.json until the dispatcher took it with a report. Throws as subject_of() and
// prove_by_restoring().
ProofResult prove_set(const Host& host, const std::string& server, const std::string& set,
                      const std::stop_token& stop, const backupset::OnProgress& on_progress);

// Proves the set that was just made, if the configuration says so (prove-after-backup). Never throws: the
// backup is good. What could not be tried is logged, and reported among the refusals.
void prove_after_backup(const Host& host, const std::string& set, const std::stop_token& stop,
                        const backupset::OnProgress& on_progress) noexcept;

}  // namespace strongroom::agent
