#include "agent/config/agent_config.hpp"

#include "agent/policy/policy.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/config/quantity.hpp"
#include "proto/server_state.hpp"

namespace strongroom::agent {
namespace {

CLI::Validator group_name() {
    return {[](const std::string& text) {
                return text.empty() || proto::is_group_name(text)
                           ? std::string()
                           : "a group's name is 1 to 64 letters, digits, '.', '_' and '-'";
            },
            ""};
}

CLI::Validator backup_window() {
    return {[](const std::string& text) {
                try {
                    const BackupWindows one({text});
                    return std::string();
                } catch (const Error& error) {
                    return error.text() + ". " + error.hint();
                }
            },
            ""};
}

}  // namespace

void declare(config::Options& options, AgentConfig& config) {
    options.setting("--store", config.store, "Where backup sets go, as in file:///srv/backups")
        ->type_name("URL");
    storage::declare(options, config.stores);
    options
        .setting("--source", config.source, "What makes the backup; none: this host only verifies for others")
        ->check(CLI::IsMember({"auto", "mariadb-backup", "xtrabackup", "mariadb-dump", "mysqldump",
                               "mydumper", "command", "none"}));
    declare(options, config.dump);
    options
        .setting("--source-command", config.source_command,
                 "Program and arguments of source \"command\"; its output is the backup")
        ->type_name("ARG");
    options
        .setting("--hook-before", config.hook_before,
                 "Program and arguments run before each backup; if it fails, none is made")
        ->type_name("ARG");
    options
        .setting("--hook-after", config.hook_after,
                 "... after each, whatever came of it (STRONGROOM_RESULT, STRONGROOM_SET)")
        ->type_name("ARG");
    options.setting("--hook-timeout", config.hook_timeout, "Longest time for each of them")
        ->transform(config::as_duration())
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{86'400}))
        ->default_str("10min");
    options
        .setting("--mysql-option-file", config.mysql_option_file,
                 "Private MySQL option file with a [client] section: user, password, socket")
        ->type_name("FILE");
    options.setting("--state-dir", config.state_dir, "Keys and state of this agent")->type_name("DIR");
    options
        .setting("--ca-file", config.ca_file,
                 "PEM file of the only authorities for the dispatcher's certificate (default: the system's)")
        ->type_name("FILE");
    options.setting("--workers", config.workers, "Segments worked on at once (0: one per core)")
        ->check(CLI::Range(0, 256));
    options.setting("--level", config.level, "zstd level, 1 (fastest) to 19")
        ->check(CLI::Range(1, 19))
        ->capture_default_str();
    options.setting("--compression", config.compression, "zstd or none")
        ->check(CLI::IsMember({"zstd", "none"}))
        ->capture_default_str();
    options.setting("--segment-size", config.segment_size, "Bytes of a segment")
        ->check(CLI::Range(std::int64_t{1} << 16, std::int64_t{256} << 20));
    options.setting("--allow-kinds", config.allow_kinds, "Kinds of jobs that a dispatcher may order")
        ->check(CLI::IsMember(Policy::kinds()));
    options.setting("--allow-recovery-key-statements", config.allow_recovery_key_statements,
                    "Take changes of the recovery keys that one of them signed (strongroom recovery-key)");
    options
        .setting("--backup-window", config.backup_windows,
                 "When backups may begin, in local time: 01:00-05:00, also 22:00-04:00; several are allowed")
        ->check(backup_window())
        ->type_name("HH:MM-HH:MM");
    options
        .setting(
            "--window-end", config.window_end,
            "A backup that still runs when its window ends: finish it, or stop it (nothing is kept of it)")
        ->check(CLI::IsMember({"finish", "stop"}))
        ->capture_default_str();
    options
        .setting("--group", config.group,
                 "Servers that replicate from each other: a group's schedule backs up one of them")
        ->check(group_name())
        ->type_name("NAME");
    options
        .setting("--group-max-lag", config.group_max_lag,
                 "A replica that is further behind makes no backup for its group")
        ->transform(config::as_duration())
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{31'536'000}))
        ->default_str("60s");
    options
        .setting(
            "--group-primary", config.group_primary,
            "Let the group back this host up while it is the primary: last (for want of a replica), never")
        ->check(CLI::IsMember({"last", "never"}))
        ->capture_default_str();
    options
        .setting("--min-interval", config.min_interval,
                 "Least seconds between backups that a dispatcher orders")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{31'536'000}));
    options
        .setting("--max-chain-length", config.max_chain_length,
                 "Increments on one full backup; the next one is full again")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000}))
        ->capture_default_str();
    options
        .setting("--max-chain-age", config.max_chain_age,
                 "Longest time since the full backup of a chain; the next one is full again")
        ->transform(config::as_duration())
        ->check(CLI::Range(std::int64_t{60}, std::int64_t{315'360'000}))
        ->default_str("8d");
    options
        .setting("--advance-checkpoint", config.advance_checkpoint,
                 "Have an idle server write its changed pages out first, so that increments stay small")
        ->capture_default_str();
    options
        .setting("--min-rotation-interval", config.min_rotation_interval,
                 "Least time between rotations of the decryption subkey that a dispatcher orders")
        ->transform(config::as_duration())
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{315'360'000}))
        ->default_str("24h");
    options
        .setting("--rotation-key-type", config.rotation_key_type,
                 "Kind of a new decryption subkey; same: that of the identity key")
        ->check(CLI::IsMember({"cv25519", "rsa3072", "rsa4096", "same"}))
        ->capture_default_str();
    options
        .setting("--source-timeout", config.source_timeout, "Give a source up that sends no byte for so long")
        ->transform(config::as_duration())
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{86'400}))
        ->default_str("30min");
    options
        .setting("--store-timeout", config.store_timeout, "Give a store up that takes so long for one object")
        ->transform(config::as_duration())
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{86'400}))
        ->default_str("10min");
    options
        .setting("--store-retries", config.store_retries, "How often a failed store operation is repeated")
        ->check(CLI::Range(0, 100))
        ->capture_default_str();
    options.setting("--store-retry-time", config.store_retry_time, "And for how long")
        ->transform(config::as_duration())
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{86'400}))
        ->default_str("5min");
    options.setting("--read-limit", config.read_limit, "Most bytes a second from the source; see throttle")
        ->transform(config::as_rate())
        ->default_str("off");
    options.setting("--write-limit", config.write_limit, "Most bytes a second into the store; see throttle")
        ->transform(config::as_rate())
        ->default_str("off");
    options.setting("--nice", config.nice, "Nice value of a backup's threads and children, 0 to 19")
        ->check(CLI::Range(0, 19))
        ->capture_default_str();
    options.setting("--io-class", config.io_class, "I/O class of them: idle, best-effort (its lowest), none")
        ->check(CLI::IsMember({"idle", "best-effort", "none"}))
        ->capture_default_str();
    declare(options, config.maintenance);
    declare(options, config.proof);
    declare(options, config.verify);
    declare(options, config.log);
    options
        .setting("--metrics-file", config.metrics_file,
                 "Keep a backup's progress and results here, as text for a Prometheus node exporter")
        ->type_name("FILE");
}

void require_backup_settings(const AgentConfig& config) {
    if (config.store.empty())
        throw Error(ErrorKind::config, "no store is configured",
                    "Set store = \"file:///srv/backups\" in the configuration file.");
    if ((config.source == "command") != !config.source_command.empty())
        throw Error(ErrorKind::config,
                    config.source == "command"
                        ? "source is \"command\", but source-command is empty"
                        : "source-command is set, but source is \"" + config.source + "\"",
                    "Set both: source = \"command\" and source-command = [\"program\", \"argument\"].");
    if (!config.backs_up() && (config.log.stream || !config.group.empty() || config.proof.after_backup))
        throw Error(ErrorKind::config,
                    "source is \"none\": log-stream, group and prove-after-backup have no meaning here",
                    "A host that makes no backups has none of them.");
    config.verify.parsed_servers();
    if (!config.mysql_option_file.empty()) {
        try {
            require_private_file(config.mysql_option_file);
        } catch (const Error& error) {
            throw error.with_context("mysql-option-file");
        }
    }
}

}  // namespace strongroom::agent
