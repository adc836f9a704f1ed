// One backup, whoever asked for it: source -> sealed set in the store -> remembered in runs.json.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "agent/config/agent_config.hpp"
#include "agent/state/state_dir.hpp"
#include "common/backupset/streams.hpp"
#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/storage/metered_store.hpp"

namespace strongroom::agent {

// What every piece of work needs. All referents outlive the work.
struct Host {
    const AgentConfig& config;
    const StateDir& state;
    const AgentRecord& agent;
    const Clock& clock;
    storage::StoreMeter* meter = nullptr;  // of all stores that this process opens for backups; may be null
};

// Why a backup is made; without job and schedule when a person asked for it.
struct Origin {
    std::optional<std::string> job;
    std::optional<std::string> schedule;
    std::optional<std::int64_t> slot;  // UTC milliseconds
    bool incremental = false;          // what is asked for: an increment where one can be made
};

// A committed set as the dispatcher lists it; `store` is where it lies, for people.
proto::Backup to_backup(const backupset::Manifest& manifest, const Origin& origin, const std::string& store);

// Makes a backup and returns it after the commit; its kind says whether it became an increment or, for a
// reason that is logged, a full one. Hold the backup lock. A stop request ends the source and throws
// Error{interrupted}. On failure nothing lists as a backup, and the problem is remembered for `status`.
// `on_progress` is called from worker threads.
proto::Backup run_backup(const Host& host, const Origin& origin, const FileLock& lock,
                         const std::stop_token& stop, const backupset::OnProgress& on_progress);

// After a crash: a set whose commit was reached becomes a remembered run, the objects of one that was not are
// removed, temporary files go. Hold the backup lock. Does nothing when nothing was left behind.
void recover_interrupted(const Host& host, const FileLock& lock);

// For the dispatcher: the stage is the first word of the text if it names one ("source: ...").
proto::Problem to_problem(const Error& error);

}  // namespace strongroom::agent
