#include "tests/support/mariadb_server.hpp"

#include <pwd.h>
#include <unistd.h>

#include <sstream>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr const char* test_data = "/usr/share/mysql/mysql-test/include/";
constexpr std::size_t max_log = 64U << 20U;

bool is_root() {
    return ::geteuid() == 0;
}

void run_or_throw(const std::vector<std::string>& argv, const std::string& what) {
    const auto result =
        run_program({.argv = argv, .fds = {}, .environment = {}, .directory = {}}, {}, seconds(120));
    if (!result.status.ok())
        throw Error(ErrorKind::source,
                    what + ": " + result.status.describe() + ": " + result.out + result.err);
}

}  // namespace

void give_to_mysql(const fs::path& path) {
    if (!is_root()) return;
    const passwd* entry = ::getpwnam("mysql");
    if (entry == nullptr)
        throw Error(ErrorKind::tool_missing, "there is no user mysql", "Install mariadb-server.");
    const auto give = [&](const fs::path& one) {
        if (::lchown(one.c_str(), entry->pw_uid, entry->pw_gid) != 0)
            throw system_error(ErrorKind::internal, "cannot give " + one.string() + " to mysql", errno);
    };
    give(path);
    for (const auto& one : fs::recursive_directory_iterator(path)) give(one.path());
}

MariadbServer::MariadbServer(Options options)
    : folder_({}, "srdb"), datadir_(options.datadir.empty() ? folder_.path() / "data" : options.datadir) {
    fs::create_directory(folder() / "tmp");
    std::ostringstream settings;
    settings << "[mysqld]\ndatadir=" << datadir_.string() << "\nsocket=" << socket().string()
             << "\npid-file=" << (folder() / "m.pid").string() << "\nlog-error=" << log().string()
             << "\ntmpdir=" << (folder() / "tmp").string()
             << "\nskip-networking=1\nskip-name-resolve=1\nserver-id=1\nplugin-dir=/usr/lib/mysql/plugin\n"
                "innodb-buffer-pool-size=32M\ninnodb-log-file-size=16M\n";
    if (is_root()) settings << "user=mysql\n";
    if (options.binlog)
        settings << "log-bin=" << (folder() / "b").string() << "\nbinlog-format=ROW\ngtid-strict-mode=1\n";
    if (!options.key_file.empty()) {
        write_file_atomic(folder() / "keys", options.key_file);
        settings << "plugin-load-add=file_key_management\nfile-key-management-filename="
                 << (folder() / "keys").string() << "\ninnodb-encrypt-tables=ON\n";
    }
    write_file_atomic(folder() / "my.cnf", settings.str());
    give_to_mysql(folder());
    if (options.datadir.empty()) {
        // Without a password: only who can enter this private folder reaches the socket.
        run_or_throw({"mariadb-install-db", "--defaults-file=" + (folder() / "my.cnf").string(),
                      "--auth-root-authentication-method=normal", "--skip-test-db"},
                     "mariadb-install-db");
    }
    start();
}

MariadbServer::~MariadbServer() {
    if (process_) process_->terminate(seconds(20));
}

void MariadbServer::start() {
    process_.emplace(SpawnOptions{.argv = {"mariadbd", "--defaults-file=" + (folder() / "my.cnf").string()},
                                  .fds = {},
                                  .environment = {},
                                  .directory = {}});
    for (int attempt = 0; attempt < 300; ++attempt) {
        if (process_->wait_for(std::chrono::milliseconds(100))) break;
        const auto ping = run_program({.argv = {"mariadb-admin", "--no-defaults", "--user=root",
                                                "--socket=" + socket().string(), "ping"},
                                       .fds = {},
                                       .environment = {},
                                       .directory = {}});
        if (ping.status.ok()) return;
    }
    process_->terminate();
    process_.reset();
    throw Error(ErrorKind::source, "the test server did not start: " + log_tail());
}

void MariadbServer::stop() {
    const auto status = process_->terminate(seconds(30));
    process_.reset();
    if (!status.ok())
        throw Error(ErrorKind::source, "the test server " + status.describe() + ": " + log_tail());
}

void MariadbServer::kill() {
    process_.reset();  // a Subprocess that was not waited for is killed
}

std::string MariadbServer::run_sql(const std::string& sql, const std::string& database) const {
    std::vector<std::string> argv{"mariadb",     "--no-defaults",
                                  "--user=root", "--socket=" + socket().string(),
                                  "--batch",     "--skip-column-names"};
    if (!database.empty()) argv.push_back(database);
    const auto result =
        run_program({.argv = argv, .fds = {}, .environment = {}, .directory = {}}, sql, seconds(120));
    if (!result.status.ok()) throw Error(ErrorKind::source, "test SQL failed: " + result.err);
    return result.out;
}

fs::path MariadbServer::option_file(const std::string& user, const std::string& grants) const {
    const std::string password = to_hex(random_bytes(12));
    run_sql("CREATE OR REPLACE USER '" + user + "'@'localhost' IDENTIFIED BY '" + password + "'");
    if (!grants.empty()) {
        const auto on = grants.find(" ON ");
        if (on == std::string::npos)
            throw Error(ErrorKind::usage, "grants must read \"PRIVILEGES ON WHERE\"");
        run_sql("GRANT " + grants + " TO '" + user + "'@'localhost'");
    }
    const fs::path path = folder() / (user + ".cnf");
    write_file_atomic(
        path, "[client]\nuser=" + user + "\npassword=" + password + "\nsocket=" + socket().string() + "\n");
    return path;
}

void MariadbServer::load(const std::string& database, const std::string& file) const {
    // These files are written for mariadb-test: its own commands are left out.
    std::istringstream lines(read_file(test_data + file, max_log));
    std::string sql;
    for (std::string line; std::getline(lines, line);) {
        bool command = false;
        for (const char* start : {"--", "disable_", "enable_", "let ", "eval "})
            command |= line.starts_with(start);
        if (!command) sql += line + "\n";
    }
    run_sql("CREATE DATABASE IF NOT EXISTS `" + database + "`");
    run_sql(sql, database);
}

std::string MariadbServer::log_tail() const {
    try {
        const auto text = read_file(log(), max_log);
        return text.substr(text.size() > 2000 ? text.size() - 2000 : 0);
    } catch (const Error&) {
        return "(no log)";
    }
}

}  // namespace strongroom::test
