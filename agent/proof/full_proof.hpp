// Proof by restoring: a set counts as proven once it was opened, extracted, prepared, started on by a private
// server, read through, and compared. Everything else is no proof, whatever it was.
#pragma once

#include <stop_token>
#include <string>

#include "agent/config/proof_config.hpp"
#include "agent/proof/proof_result.hpp"
#include "agent/state/state_dir.hpp"
#include "agent/verifiers/subject.hpp"
#include "common/backupset/streams.hpp"
#include "common/base/clock.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::agent {

struct ProofOptions {
    std::string set = "latest";
    int workers = 0;  // segments opened at once; 0: one per core
    std::stop_token stop;
    // How far it is, from any thread, one call at a time: the stage, and of extraction its bytes.
    backupset::OnProgress on_progress;
};

// Proves a set of `subject` and remembers the outcome in its verified file: a set that failed counts as not
// good until a proof of it succeeds. A result with `failure` is about the set. What says nothing about the
// set is thrown: Error{storage} if there is not enough space, Error{tool_missing}, Error{refused} for sets
// that cannot be proven in this way, Error{config} if a verifying host has no envelope that opens,
// Error{busy} if another process looks after the sets, Error{interrupted}, Error{forbidden} from a store
// whose credentials may only put. Afterwards no server runs and nothing of the restored data is left.
ProofResult prove_by_restoring(const ProofConfig& config, const StateDir& state, const Subject& subject,
                               storage::ObjectStore& store, const Clock& clock, const ProofOptions& options);

}  // namespace strongroom::agent
