#include "common/restore/replay.hpp"

#include <array>

#include "common/backupset/process_streams.hpp"
#include "common/base/error.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/printable.hpp"
#include "common/restore/physical_tools.hpp"
#include "common/restore/private_server.hpp"

namespace strongroom::restore {
namespace {

constexpr const char* the_end = "strongroom: the end of the log";

std::vector<std::string> as_user(std::vector<std::string> command) {
    auto out = as_server_user();
    out.insert(out.end(), command.begin(), command.end());
    return out;
}

// What GRANT ALL does not hold: to grant roles, and to let somebody be somebody else.
std::string prologue(const std::string& user) {
    return "INSERT INTO mysql.proxies_priv (Host, User, With_grant) VALUES ('localhost', '" + user +
           "', 1);\n"
           "INSERT INTO mysql.roles_mapping (Host, User, Role, Admin_option) SELECT 'localhost', '" +
           user +
           "', User, 'Y' FROM mysql.global_priv WHERE JSON_EXISTS(Priv, '$.is_role');\n"
           "FLUSH PRIVILEGES;\n";
}

// The session's own word for its last transaction, and that the account is gone.
std::string epilogue(const std::string& user) {
    return std::string("\nSELECT '") + the_end +
           "', @@gtid_domain_id, @@server_id, @@gtid_seq_no;\n"
           "DROP USER '" +
           user +
           "'@'localhost';\n"
           "SELECT (SELECT COUNT(*) FROM mysql.global_priv WHERE User = '" +
           user + "') + (SELECT COUNT(*) FROM mysql.roles_mapping WHERE User = '" + user +
           "') + (SELECT COUNT(*) FROM mysql.proxies_priv WHERE User = '" + user + "');\n";
}

void require_outcome(const std::string& said, const LogStretch& stretch) {
    const auto rows = parse_rows(said);
    const auto refuse = [](const std::string& why) {
        throw Error(ErrorKind::source, "the replay of the binary log cannot be trusted: " + why);
    };
    // Statements of the log may have answers of their own.
    if (rows.size() < 2 || rows[rows.size() - 2].size() != 4 || rows[rows.size() - 2][0] != the_end)
        refuse("the session did not come to its end");
    const auto& last = rows[rows.size() - 2];
    const std::string gtid = last[1] + "-" + last[2] + "-" + last[3];
    if (!stretch.last_gtid.empty() && gtid != stretch.last_gtid)
        refuse("its last transaction was " + printable_line(gtid, 80) + ", not " + stretch.last_gtid);
    if (rows.back() != SqlRow{"0"}) refuse("the account of the replay was not removed");
}

void write_text(backupset::Target& target, const std::string& text) {
    target.write(text.data(), text.size());
}

}  // namespace

void require_replay_tools() {
    server_program();
    for (const char* program : {"mariadb-binlog", "mariadb"}) require_tool(program);
}

std::vector<std::string> binlog_command(const LogStretch& stretch, const std::filesystem::path& load_folder) {
    std::vector<std::string> out{"mariadb-binlog", "--no-defaults", "--verify-binlog-checksum"};
    if (!load_folder.empty()) out.push_back("--local-load=" + load_folder.string());
    out.push_back("--start-position=" + std::to_string(stretch.start.offset));
    out.push_back("--stop-position=" + std::to_string(stretch.stop.offset));
    for (const auto& file : stretch.files) out.push_back(file.string());
    return out;
}

void replay_logs(const ReplayWork& work, const LogStretch& stretch) {
    PrivateServer server(work.datadir, work.run, work.idle, PrivateServer::Use::replay);
    MemFile said("answers");
    SpawnOptions client;
    client.argv = {"mariadb"};
    for (auto& argument : server.connection()) client.argv.push_back(std::move(argument));
    // Statements only: no command of the client's own that would read files or start programs.
    for (const char* argument :
         {"--batch", "--skip-column-names", "--binary-mode", "--sandbox", "--max-allowed-packet=1G",
          work.allow_load_data ? "--local-infile=1" : "--local-infile=0"})
        client.argv.emplace_back(argument);
    client.argv = as_user(std::move(client.argv));
    client.fds = {{1, said.fd()}};
    backupset::ProcessTarget target({.name = "mariadb", .spawn = client, .kind = ErrorKind::source});
    write_text(target, prologue(server.user()));
    SpawnOptions reader;
    reader.argv = as_user(binlog_command(stretch, work.run / "tmp"));
    backupset::ProcessSource source({.name = "mariadb-binlog", .spawn = reader});
    std::vector<char> buffer(1U << 20U);
    std::int64_t done = 0;
    while (const auto count = source.read(buffer.data(), buffer.size())) {
        target.write(buffer.data(), count);
        done += static_cast<std::int64_t>(count);
        if (work.on_bytes) work.on_bytes(done);
    }
    source.finish();
    write_text(target, epilogue(server.user()));
    target.commit();
    said.map_all();
    require_outcome(std::string(said.view()), stretch);
    server.stop();
}

}  // namespace strongroom::restore
