#include "agent/config/agent_config.hpp"

#include "common/base/error.hpp"
#include "common/base/file.hpp"

namespace strongroom::agent {

void declare(config::Options& options, AgentConfig& config) {
    options.setting("--store", config.store, "Where backup sets go, as in file:///srv/backups")
        ->type_name("URL");
    options.setting("--source", config.source, "What makes the backup")
        ->check(
            CLI::IsMember({"auto", "mariadb-backup", "xtrabackup", "mariadb-dump", "mysqldump", "command"}));
    options
        .setting("--source-command", config.source_command,
                 "Program and arguments of source \"command\"; its output is the backup")
        ->type_name("ARG");
    options
        .setting("--mysql-option-file", config.mysql_option_file,
                 "Private MySQL option file with a [client] section: user, password, socket")
        ->type_name("FILE");
    options.setting("--state-dir", config.state_dir, "Keys and state of this agent")->type_name("DIR");
    options.setting("--workers", config.workers, "Segments worked on at once (0: one per core)")
        ->check(CLI::Range(0, 256));
    options.setting("--level", config.level, "zstd level")->check(CLI::Range(1, 19));
    options.setting("--compression", config.compression, "zstd or none")
        ->check(CLI::IsMember({"zstd", "none"}));
    options.setting("--segment-size", config.segment_size, "Bytes of a segment")
        ->check(CLI::Range(std::int64_t{1} << 16, std::int64_t{256} << 20));
    options.setting("--allow-kinds", config.allow_kinds, "Kinds of jobs that a dispatcher may order")
        ->check(CLI::IsMember({"backup", "escrow"}));
    options
        .setting("--min-interval", config.min_interval,
                 "Least seconds between backups that a dispatcher orders")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{31'536'000}));
    options
        .setting("--source-stall", config.source_stall,
                 "Seconds without a byte after which a source is given up")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{86'400}));
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
    if (!config.mysql_option_file.empty()) {
        try {
            require_private_file(config.mysql_option_file);
        } catch (const Error& error) {
            throw error.with_context("mysql-option-file");
        }
    }
}

}  // namespace strongroom::agent
