// The servers whose sets this host proves and verifies for others (docs/proof.md, "A separate verifying
// host"). A dispatcher's order carries none of it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/config/options.hpp"

namespace strongroom::agent {

struct VerifyConfig {
    struct Server {
        std::string server;    // UUID
        std::string identity;  // fingerprint of its identity key, or of a former one
    };
    std::vector<std::string> servers;     // each "UUID FINGERPRINT"
    std::string store;                    // URL of their sets; empty: `store`
    std::string s3_credentials_file;      // for it; empty: those of `store`
    std::vector<std::string> assertions;  // each "UUID SQL"; the SQL must answer 1

    bool any() const { return !servers.empty(); }
    // Throws Error{config} that names the entry; for a server that is named twice, too.
    std::vector<Server> parsed_servers() const;
    // Those of one server.
    std::vector<std::string> assertions_of(const std::string& server) const;
};

// Declares every field as option, environment variable and file key.
void declare(config::Options& options, VerifyConfig& config);

}  // namespace strongroom::agent
