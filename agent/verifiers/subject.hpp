// Whose sets are looked after: this host's own, or those of a server that it verifies for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/config/agent_config.hpp"
#include "agent/state/state_dir.hpp"
#include "common/backupset/signers.hpp"
#include "common/gpg/home.hpp"
#include "common/maintenance/verification_log.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::agent {

struct Subject {
    std::string server;  // UUID
    bool own = true;
    backupset::Signers signers;
    gpg::Home home;        // opens the envelopes: this host's
    std::string verifier;  // this host's identity key, by which its envelopes are named; own: empty
    std::filesystem::path verified_file;
    std::vector<std::string> assertions;

    // What was verified of it before.
    maintenance::VerificationLog log() const { return {verified_file, server, signers.fingerprints(), {}}; }
};

// UUIDs: this host, unless its source is "none", then verify-servers in their order.
std::vector<std::string> subjects_of(const AgentConfig& config, const StateDir& state);

Subject own_subject(const StateDir& state, std::vector<std::string> assertions = {});

// This host's own, or that of another server: follows its identity key from the one that the configuration
// pins, through changes that the store shows and a recovery key pinned here approved. Throws Error{usage} for
// a server that the configuration does not name; Error{not_found} if the store has nothing of it,
// Error{refused} or Error{crypto} if it shows another key.
Subject subject_of(const AgentConfig& config, const StateDir& state, storage::ObjectStore& store,
                   const std::string& server);

// What follows "set ID": " of server UUID" for another server, else nothing.
std::string of_whom(const Subject& subject);

}  // namespace strongroom::agent
