// The commands that a person runs. Results go to standard output, all else to standard error. Each returns
// the process exit code or throws Error.
#pragma once

#include <stop_token>

#include "agent/command_line.hpp"
#include "agent/state/state_dir.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

int register_command(const CommandLine& line, const Clock& clock);
int backup_command(const CommandLine& line, const Clock& clock, std::stop_token stop);
int escrow_command(const CommandLine& line, const Clock& clock);
int rotate_command(const CommandLine& line, const Clock& clock, std::stop_token stop);
int recovery_key_command(const CommandLine& line, const Clock& clock);
int verifier_command(const CommandLine& line, const Clock& clock);
int identity_command(const CommandLine& line, const Clock& clock, std::stop_token stop);
// rotate --reencrypt
int reencrypt_command(const CommandLine& line, const Clock& clock, std::stop_token stop);
// verify: of which servers; Error{usage} for one that this host does not look after.
std::vector<std::string> chosen_subjects(const CommandLine& line, const StateDir& state);
int verify_command(const CommandLine& line, const Clock& clock, std::stop_token stop);
// verify --full
int proof_command(const CommandLine& line, const Clock& clock, std::stop_token stop);
int prune_command(const CommandLine& line, const Clock& clock, std::stop_token stop);
int status_command(const CommandLine& line, const Clock& clock);
int throttle_command(const CommandLine& line, const Clock& clock);
int check_command(const CommandLine& line, const Clock& clock);

}  // namespace strongroom::agent
