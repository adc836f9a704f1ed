// What the command line says.
#pragma once

#include <string>

#include "agent/config/agent_config.hpp"
#include "agent/identity/registration.hpp"

namespace strongroom::agent {

struct CommandLine {
    // "register", "run", "backup", "escrow", "rotate", "verify", "prune",
    // "status", "throttle", "check", "recovery-key list", "recovery-key add", "recovery-key remove",
    // "identity show", "identity rotate", "identity cancel",
    // "verifier list", "verifier add", "verifier remove", "verifier key";
    // empty: already answered
    std::string command;
    AgentConfig config;
    RegistrationOptions registration;
    std::filesystem::path code_file;
    bool json = false;
    bool quiet = false;
    bool apply = false;           // prune
    bool outside_window = false;  // backup: although it is not the time for it
    bool incremental = false;     // backup: only what changed
    bool reencrypt = false;       // rotate: and write the sets anew
    bool rewrapped = false;       // rotate: by the user; the envelopes are not looked at
    bool full = false;            // verify: by restoring one set
    std::string set;              // verify --full: a set id, or "latest"
    std::string server;           // verify: only this one; empty: all that this host looks after
    bool local = false;           // escrow, rotate, recovery-key, verifier: without the dispatcher
    struct {
        std::filesystem::path approval;  // identity rotate: by a file
        std::string algorithm = "same";  // identity rotate: of the new key
    } identity;
    struct {
        std::filesystem::path file;  // add
        std::string fingerprint;     // add: expected, may be empty; remove
    } recovery_key;
    struct {
        std::filesystem::path file;  // add
        std::string fingerprint;     // add: expected, may be empty; remove
        bool existing = false;       // add: envelopes for the sets that are there, too
    } verifier;
    struct {
        std::string both;  // a rate, "off" or "default"; empty: leave as it is
        std::string read;
        std::string write;
    } throttle;
    std::string config_file;
};

// Throws Error{usage} and what config::Options::parse() throws.
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace strongroom::agent
