// What the command line says.
#pragma once

#include <string>

#include "agent/config/agent_config.hpp"
#include "agent/identity/registration.hpp"

namespace strongroom::agent {

struct CommandLine {
    std::string command;  // "register", "run", "backup", "escrow", "status", "check"; empty: already answered
    AgentConfig config;
    RegistrationOptions registration;
    std::filesystem::path code_file;
    bool json = false;
    bool quiet = false;
    bool local = false;  // escrow: into the store only
    std::string config_file;
};

// Throws Error{usage} and what config::Options::parse() throws.
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace strongroom::agent
