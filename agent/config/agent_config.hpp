// What the operator of this host decides: where backups go, what is backed up, and what a dispatcher may ask.
// None of it can be set by a dispatcher (S3, S5).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/config/dump_config.hpp"
#include "agent/config/log_config.hpp"
#include "agent/config/maintenance_config.hpp"
#include "agent/config/proof_config.hpp"
#include "agent/config/verify_config.hpp"
#include "common/config/options.hpp"
#include "common/storage/open/store_settings.hpp"

namespace strongroom::agent {

inline constexpr const char* default_config_file = "/etc/strongroom/agent.toml";

struct AgentConfig {
    std::string store;                        // "file:///srv/backups", "s3://bucket/prefix"
    storage::StoreSettings stores;            // what the URL does not say
    std::string source = "auto";              // what makes the backup; "none": this host makes none
    DumpConfig dump;                          // which part of the server a dump holds
    std::vector<std::string> source_command;  // argv of source = "command"
    std::vector<std::string> hook_before;     // argv, run before each backup; empty: none
    std::vector<std::string> hook_after;      // ... after each
    std::int64_t hook_timeout = 600;          // seconds for each of them
    std::filesystem::path mysql_option_file;  // private, [client] user/password/socket; may be empty
    std::filesystem::path state_dir = "/var/lib/strongroom-agent";
    std::string ca_file;  // PEM: the only authorities for the dispatcher's certificate; empty: the system's
    int workers = 0;      // 0: one per core
    int level = 1;
    std::string compression = "zstd";
    std::int64_t segment_size = 32LL << 20;  // bytes
    std::vector<std::string> allow_kinds{"backup", "incremental", "escrow", "rotate", "verify"};
    bool allow_recovery_key_statements = false;   // a pinned recovery key may sign a change of the pins
    std::vector<std::string> backup_windows;      // local times in which backups begin; empty: any
    std::string window_end = "finish";            // or "stop": a backup that still runs when they end
    std::string group;                            // servers that replicate from each other; empty: none
    std::int64_t group_max_lag = 60;              // seconds behind; more, and none is made for the group
    std::string group_primary = "last";           // backed up for the group for want of a replica; or "never"
    std::int64_t min_interval = 300;              // seconds between backups that a dispatcher orders
    std::int64_t max_chain_length = 30;           // increments on one full backup
    std::int64_t max_chain_age = 691'200;         // seconds since its full backup
    bool advance_checkpoint = true;               // of an idle server, before a physical backup
    std::int64_t min_rotation_interval = 86'400;  // seconds between rotations that a dispatcher orders
    std::string rotation_key_type = "cv25519";    // of a new decryption subkey; "same": as the identity key
    std::int64_t source_timeout = 1800;           // seconds without a byte after which a source is given up
    std::int64_t store_timeout = 600;             // seconds for one operation on one object
    int store_retries = 5;                        // after the first attempt
    std::int64_t store_retry_time = 300;          // seconds in which an operation may be retried
    std::int64_t read_limit = 0;                  // bytes per second from the source; 0: none
    std::int64_t write_limit = 0;                 // bytes per second into the store; 0: none
    int nice = 10;                                // of a backup's threads and children
    std::string io_class = "idle";                // of them: idle, best-effort, none
    MaintenanceConfig maintenance;
    ProofConfig proof;
    VerifyConfig verify;
    LogConfig log;
    std::filesystem::path metrics_file;  // for a node exporter; empty: none

    bool backs_up() const { return source != "none"; }
};

// Declares every field as option, environment variable (STRONGROOM_AGENT_...) and file key.
void declare(config::Options& options, AgentConfig& config);

// Checks what belongs together: a store is named, "command" has its argv and only it, the option file is
// private. Throws Error{config} or Error{insecure_file}, naming the key.
void require_backup_settings(const AgentConfig& config);

}  // namespace strongroom::agent
