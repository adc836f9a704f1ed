// Makes this host's identity and registers it: all or nothing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/state/state_dir.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

struct RegistrationOptions {
    std::string dispatcher;                            // URL
    std::string code;                                  // as the user got it, with or without dashes
    std::vector<std::filesystem::path> recovery_keys;  // public keys to pin, at least one
    std::vector<std::string> recovery_fingerprints;    // to check them against; may be empty
    std::string domain = "strongroom.internal";
    std::string label;  // empty: the host's name
    std::string algorithm = "rsa3072";
};

// Everything is made in a private folder beside the state and moved into place only after the dispatcher's
// verified answer; agent.json comes last. A failure leaves nothing behind and the command can be run again.
// Error{exists} if this host is registered already: an identity is never overwritten.
AgentRecord register_host(const StateDir& state, const RegistrationOptions& options, const Clock& clock);

}  // namespace strongroom::agent
