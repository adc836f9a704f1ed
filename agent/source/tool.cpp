#include "agent/source/tool.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "agent/source/dump_scope.hpp"
#include "agent/source/mysql_client.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::agent {
namespace {

std::string first_line(std::string_view text) {
    const auto start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return {};
    text.remove_prefix(start);
    return printable_line(text.substr(0, text.find_first_of("\r\n")), 200);
}

std::optional<Tool> installed(const std::string& name) {
    // Older MariaDB installs the same program as mariabackup.
    auto program = find_program(name);
    if (!program && name == "mariadb-backup") program = find_program("mariabackup");
    if (!program) return std::nullopt;
    Tool out;
    out.family = name.ends_with("backup") ? ToolFamily::physical
                 : name == "mydumper"     ? ToolFamily::mydumper
                                          : ToolFamily::dump;
    out.name = name;
    out.program = *program;
    out.version = version_of(*program);
    out.stream = out.family == ToolFamily::physical   ? "xbstream"
                 : out.family == ToolFamily::mydumper ? "tar"
                                                      : "sql";
    // Later ones write other files, and can stream them.
    if (out.family == ToolFamily::mydumper && !out.version.starts_with("mydumper 0.10."))
        throw Error(ErrorKind::tool_missing,
                    "this mydumper is not one whose files are known here: " + out.version,
                    "0.10 is needed; for a newer one: source = \"command\" with its --stream.");
    return out;
}

std::vector<std::string> candidates(const AgentConfig& config) {
    if (config.source != "auto") return {config.source};
    if (config.dump.partial()) return {"mariadb-dump", "mysqldump"};  // MariaDB's dumps MySQL's tables, too
    const std::vector<std::string> for_mariadb{"mariadb-backup", "mariadb-dump", "mysqldump"};
    const std::vector<std::string> for_mysql{"xtrabackup", "mysqldump"};
    try {
        return ask_server(config.mysql_option_file).is_mariadb() ? for_mariadb : for_mysql;
    } catch (const Error&) {
        // The backup itself will say why the server does not answer.
        return {"mariadb-backup", "xtrabackup", "mariadb-dump", "mysqldump"};
    }
}

}  // namespace

std::string version_of(const std::string& program) {
    SpawnOptions options;
    options.argv = {program, "--version"};
    const RunResult answer = run_program(options, {}, std::chrono::seconds(20), 1U << 20U);
    if (!answer.status.ok())
        throw Error(ErrorKind::tool_missing,
                    program + " --version failed: " + answer.status.describe() + " " + first_line(answer.err),
                    "Install it again; its libraries may be missing.");
    // The physical tools say it on standard error.
    std::string line = first_line(answer.out);
    if (line.empty()) line = first_line(answer.err);
    // Where it is installed is this host's business.
    if (line.starts_with(program)) line.erase(0, program.rfind('/') + 1);
    return line;
}

std::vector<std::string> Tool::needed_privileges(bool mariadb_server) const {
    if (family == ToolFamily::command) return {};
    if (family == ToolFamily::physical)
        return mariadb_server ? std::vector<std::string>{"RELOAD", "PROCESS", "BINLOG MONITOR"}
                              : std::vector<std::string>{"BACKUP_ADMIN", "RELOAD", "PROCESS", "LOCK TABLES",
                                                         "REPLICATION CLIENT"};
    if (family == ToolFamily::mydumper)
        return {"SELECT",
                "SHOW VIEW",
                "TRIGGER",
                "EVENT",
                "RELOAD",
                "PROCESS",
                mariadb_server ? "BINLOG MONITOR" : "REPLICATION CLIENT"};
    // A dump leaves out what it may not see, and still ends with success; so every one of these is needed.
    std::vector<std::string> out{"SELECT", "SHOW VIEW", "TRIGGER", "EVENT", "LOCK TABLES"};
    if (!mariadb_server) out.insert(out.end(), {"PROCESS", "RELOAD", "REPLICATION CLIENT"});
    return out;
}

bool Tool::is_oracle_dump() const {
    return family == ToolFamily::dump && version.find("MariaDB") == std::string::npos;
}

void require_source(const AgentConfig& config) {
    if (config.backs_up()) return;
    throw Error(ErrorKind::refused, "this host makes no backups: source is \"none\" in its configuration",
                "It verifies for other servers. Set source, if it shall be backed up, too.");
}

Tool find_tool(const AgentConfig& config) {
    require_source(config);
    dump_scope(config);  // before anything is asked of the server
    if (config.source == "command") {
        if (config.source_command.empty())
            throw Error(ErrorKind::config, "source is \"command\", but source-command is empty",
                        "Set source-command = [\"program\", \"argument\"].");
        const auto program = find_program(config.source_command.front());
        if (!program)
            throw Error(ErrorKind::tool_missing,
                        "the program " + config.source_command.front() +
                            " of source-command is not installed or not executable",
                        "Install it, or correct source-command.");
        Tool out;
        out.name = printable_line(std::filesystem::path(*program).filename().string(), 60);
        out.program = *program;
        out.stream = "raw";
        return out;
    }
    std::string tried;
    for (const auto& name : candidates(config)) {
        if (auto tool = installed(name)) return *tool;
        tried += (tried.empty() ? "" : ", ") + name;
    }
    throw Error(ErrorKind::tool_missing, "no backup tool is installed (looked for " + tried + ")",
                "Install mariadb-backup (Debian: apt-get install mariadb-backup), or set source.");
}

}  // namespace strongroom::agent
