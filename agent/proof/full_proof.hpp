// Proof by restoring: a set counts as proven once it was opened, extracted, prepared, started on by a private
// server, read through, and compared. Everything else is no proof, whatever it was.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/config/proof_config.hpp"
#include "agent/proof/figures.hpp"
#include "agent/state/state_dir.hpp"
#include "common/backupset/streams.hpp"
#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::agent {

struct ProofOptions {
    std::string set = "latest";
    int workers = 0;  // segments opened at once; 0: one per core
    std::stop_token stop;
    // How far it is, from any thread, one call at a time: the stage, and of extraction its bytes.
    backupset::OnProgress on_progress;
};

struct ProofSeconds {
    double extract = 0;  // or load: of a dump
    double prepare = 0;
    double start = 0;
    double check = 0;
    double compare = 0;  // figures and assertions
};

struct ProofResult {
    std::string set;
    std::int64_t finished = 0;   // UTC milliseconds
    std::string server_version;  // of the private server
    std::size_t tables = 0;
    std::size_t checked = 0;        // by CHECK TABLE, with OK
    std::size_t not_checkable = 0;  // their engine has no check
    std::size_t equal = 0;          // rows and checksum as at the source
    std::size_t not_comparable = 0;
    std::string not_compared;  // why no table was compared; empty if some were
    std::size_t assertions = 0;
    ProofSeconds seconds;
    std::string
        failed_step;  // "extract", "load", "prepare", "start", "check", "compare", "assert", "stop"; or empty
    std::optional<Error> failure;  // why the set could not be proven
    bool proven() const { return !failure; }
};

// One line for people: "set ... was restored, started and compared: 16 tables, 16 checked, ..."
std::string one_line(const ProofResult& result);
// The same without a name or a value of the database: for whoever may not know them.
std::string public_line(const ProofResult& result);
Json json_of(const ProofResult& result);
// Throws Error{corrupt} that says in which step and why, if the set was not proven.
void require_proven(const ProofResult& result);

// Proves a set of this host and remembers the outcome in verified.json: a set that failed counts as not good
// until a proof of it succeeds. A result with `failure` is about the set. What says nothing about the set is
// thrown: Error{storage} if there is not enough space, Error{tool_missing}, Error{refused} for sets that
// cannot be proven in this way, Error{busy} if another process looks after the sets, Error{interrupted},
// Error{forbidden} from a store whose credentials may only put. Afterwards no server runs and nothing of the
// restored data is left.
ProofResult prove_by_restoring(const ProofConfig& config, const StateDir& state, storage::ObjectStore& store,
                               const Clock& clock, const ProofOptions& options);

}  // namespace strongroom::agent
