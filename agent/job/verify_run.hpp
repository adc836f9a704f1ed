// Verifying and proving as pieces of this host's work: of itself, and of each server that it verifies for.
// One that fails, or cannot be tried, keeps no other from its turn.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/job/proof_run.hpp"
#include "common/base/error.hpp"
#include "common/maintenance/verification.hpp"

namespace strongroom::agent {

struct VerifiedServer {
    std::string server;  // UUID
    bool own = true;
    maintenance::ServerVerdict verdict;
    std::vector<std::string> changed;  // own: escrow records in the store that are not the deposited ones
    // Why nothing, or no more, is known.
    std::optional<Error> not_tried{};
};

// `servers`: of subjects_of(). `on_progress`: from any thread. Throws Error{interrupted}; what else happens
// is in the result, logged.
std::vector<VerifiedServer> verify_servers(const Host& host, const std::vector<std::string>& servers,
                                           const std::stop_token& stop,
                                           const backupset::OnProgress& on_progress);
// Throws the worst of all sets as an Error whose kind is its exit code, then what kept a server from being
// verified, then a changed escrow record.
void require_verified(const std::vector<VerifiedServer>& servers);

struct ProvenServers {
    std::vector<ProofResult> results;
    std::vector<Error> not_tried;
};

// `set`: "latest", the newest set of each, or of a single server a set id. Throws as verify_servers().
ProvenServers prove_servers(const Host& host, const std::vector<std::string>& servers, const std::string& set,
                            const std::stop_token& stop, const backupset::OnProgress& on_progress);
// Throws Error{corrupt} for the first that failed, then the first that could not be tried; `text`: how a
// failed one is told.
void require_proven(const ProvenServers& servers, const std::function<std::string(const ProofResult&)>& text);

}  // namespace strongroom::agent
