// A host as a registration leaves it, without a dispatcher: keys, pins, agent.json; a store in a folder.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "agent/job/backup_run.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::test {

class RegisteredHost {
  public:
    RegisteredHost();
    ~RegisteredHost();
    RegisteredHost(const RegisteredHost&) = delete;

    agent::Host host() const { return {config, state, agent, clock}; }
    // One backup by hand.
    proto::Backup back_up(std::stop_token stop = {}) const;
    // The error that a backup ends with; fails the test if it succeeds. Nothing may list afterwards.
    Error failing_backup() const;
    std::unique_ptr<storage::ObjectStore> store() const;
    // Committed sets, each verified.
    std::vector<std::string> listed() const;
    // The plain stream of a set, opened with this host's own key.
    std::string open(const std::string& set) const;

    TempDir folder;
    SystemClock clock;
    agent::AgentConfig config;
    agent::StateDir state;
    agent::AgentRecord agent;
    gpg::Home recovery_secret;  // the user's key pair, outside of the state
};

// Does `work` in a child process, which ends by SIGKILL after `limit` unless it is done before, or (without a
// limit) where the work itself raises it. True if it was killed; fails the test if the work threw.
bool killed_in_child(const std::function<void()>& work, std::chrono::microseconds limit = {});

}  // namespace strongroom::test
