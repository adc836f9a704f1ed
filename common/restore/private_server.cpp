#include "common/restore/private_server.hpp"

#include <pwd.h>
#include <signal.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"

namespace strongroom::restore {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::size_t max_log = 64U << 20U;
constexpr std::size_t shown_log = 600;
constexpr milliseconds stop_limit = std::chrono::minutes(2);

fs::path socket_in(const fs::path& folder) {
    return folder / "s";
}
fs::path log_in(const fs::path& folder) {
    return folder / "server.err";  // another extension would get this one behind it
}
fs::path pid_in(const fs::path& folder) {
    return folder / "pid";
}

fs::path init_in(const fs::path& folder) {
    return folder / "init.sql";
}

constexpr std::int64_t least_memory = 128LL << 20;

// For the buffer pool: a quarter of the machine's, at most 1 GiB.
std::int64_t replay_memory() {
    const std::int64_t all = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
    return std::clamp<std::int64_t>(all / 4 / least_memory * least_memory, least_memory, 1LL << 30);
}

// Without a password, as only who can enter the private folder reaches the socket. One statement a line.
void write_init_file(const fs::path& folder, const std::string& user) {
    const std::string account = "'" + user + "'@'localhost'";
    write_file_atomic(init_in(folder), "CREATE USER " + account + ";\nGRANT ALL PRIVILEGES ON *.* TO " +
                                           account + " WITH GRANT OPTION;\n");
    const ServerUser owner = server_user();
    if (owner.other && ::chown(init_in(folder).c_str(), owner.uid, owner.gid) != 0)
        throw system_error(ErrorKind::storage, "cannot give " + init_in(folder).string() + " to mysql",
                           errno);
}

SpawnOptions server_options(const fs::path& datadir, const fs::path& folder, PrivateServer::Use use) {
    const bool check = use == PrivateServer::Use::check;
    const bool replay = use == PrivateServer::Use::replay;
    SpawnOptions out;
    out.argv = as_server_user();
    for (const std::string& argument :
         {server_program(), std::string("--no-defaults"), "--datadir=" + datadir.string(),
          "--socket=" + socket_in(folder).string(), "--pid-file=" + pid_in(folder).string(),
          "--log-error=" + log_in(folder).string(), "--tmpdir=" + (folder / "tmp").string(),
          "--secure-file-priv=" + (folder / "tmp").string(), std::string("--skip-networking"),
          std::string("--skip-slave-start"), std::string("--skip-log-bin"),
          std::string("--performance-schema=OFF"),
          std::string(replay ? "--local-infile=1" : "--local-infile=0"),
          "--innodb-buffer-pool-size=" + std::to_string(replay ? replay_memory() : least_memory),
          std::string("--innodb-buffer-pool-dump-at-shutdown=OFF"),
          std::string("--innodb-buffer-pool-load-at-startup=OFF"), std::string("--innodb-log-file-size=64M"),
          std::string("--aria-recover-options=NORMAL")})
        out.argv.push_back(argument);
    for (const char* argument : {check ? "--event-scheduler=DISABLED" : "--event-scheduler=OFF",
                                 check ? "--innodb-fast-shutdown=2" : "--innodb-fast-shutdown=1",
                                 check ? "--skip-grant-tables" : "--skip-name-resolve"})
        out.argv.emplace_back(argument);
    if (replay)  // passwords come as hashes; until it is stopped, nobody needs what it wrote
        for (const std::string& argument :
             {"--init-file=" + init_in(folder).string(), std::string("--strict-password-validation=OFF"),
              std::string("--max-allowed-packet=1G"), std::string("--innodb-flush-log-at-trx-commit=0"),
              std::string("--innodb-doublewrite=OFF")})
            out.argv.push_back(argument);
    try {
        for (auto& argument : layout_options(read_file(datadir / "backup-my.cnf", 1U << 20U)))
            out.argv.push_back(std::move(argument));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;  // a server without a layout of its own
    }
    out.directory = datadir.string();
    return out;
}

}  // namespace

ServerUser server_user() {
    if (::geteuid() != 0) return {};
    const passwd* entry = ::getpwnam("mysql");
    if (entry == nullptr)
        throw Error(ErrorKind::tool_missing,
                    "a database server does not run as root, and there is no user mysql",
                    "Run the agent as its own user, or install mariadb-server.");
    return {true, entry->pw_uid, entry->pw_gid};
}

std::string server_program() {
    if (!find_program("setpriv"))
        throw Error(ErrorKind::tool_missing, "the program setpriv is not installed",
                    "Install Debian's package util-linux.");
    for (const char* name : {"mariadbd", "/usr/sbin/mariadbd"})
        if (const auto found = find_program(name)) return *found;
    throw Error(ErrorKind::tool_missing, "the program mariadbd is not installed",
                "A private server is started on the restored files: install the same mariadb-server as the "
                "source's.");
}

std::vector<std::string> as_server_user() {
    const ServerUser user = server_user();
    std::vector<std::string> out{"setpriv", "--pdeathsig", "KILL"};
    if (user.other)
        for (const std::string& argument :
             {"--reuid=" + std::to_string(user.uid), "--regid=" + std::to_string(user.gid),
              std::string("--clear-groups")})
            out.push_back(argument);
    return out;
}

std::vector<std::string> layout_options(const std::string& backup_my_cnf) {
    constexpr std::array known{"innodb_checksum_algorithm", "innodb_data_file_path", "innodb_page_size",
                               "innodb_undo_tablespaces"};
    constexpr std::string_view harmless =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:;.-";
    std::vector<std::string> out;
    std::istringstream lines(backup_my_cnf);
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (equals == std::string::npos) continue;
        const std::string value = line.substr(equals + 1);
        if (std::ranges::find(known, line.substr(0, equals)) == known.end()) continue;
        if (value.empty() || value.find_first_not_of(harmless) != std::string::npos ||
            value.find("..") != std::string::npos)
            continue;
        out.push_back("--" + line);
    }
    return out;
}

PrivateServer::PrivateServer(const fs::path& datadir, const fs::path& folder,
                             const std::function<void()>& idle, Use use, std::chrono::seconds limit)
    : folder_(folder), idle_(idle), said_("server") {
    if (socket_in(folder).string().size() >= sizeof(sockaddr_un::sun_path))
        throw Error(ErrorKind::config, "the path " + folder.string() + " is too long for a server's socket",
                    "Use a folder with a shorter path (an agent's is proof-folder).");
    if (use == Use::replay) write_init_file(folder, user_ = "strongroom-" + to_hex(random_bytes(8)));
    auto options = server_options(datadir, folder, use);
    options.fds = {{1, said_.fd()}, {2, said_.fd()}};
    process_.emplace(options);
    const auto ends = std::chrono::steady_clock::now() + limit;
    for (;;) {
        if (const auto status = process_->wait_for(milliseconds(50)))
            throw Error(ErrorKind::source,
                        "the private server did not start, " + status->describe() + ": " + log_tail());
        if (idle_) idle_();
        if (!fs::exists(socket_in(folder))) {
            if (std::chrono::steady_clock::now() > ends) break;
            continue;
        }
        try {
            if (client().ask("SELECT 1;", 1) == std::vector<SqlRow>{{"1"}}) return;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::source) throw;
            if (use == Use::replay && error.text().find("Access denied") != std::string::npos)
                throw Error(ErrorKind::source, "the private server could not make an account: " + log_tail());
        }
        if (std::chrono::steady_clock::now() > ends) break;
    }
    throw Error(ErrorKind::source, "the private server did not answer within " +
                                       std::to_string(limit.count()) + " s: " + log_tail());
}

std::vector<std::string> PrivateServer::connection() const {
    return {"--no-defaults", "--user=" + user_, "--socket=" + socket_in(folder_).string()};
}

SqlClient PrivateServer::client() const {
    return {connection(), idle_};
}

void PrivateServer::stop() {
    if (const auto status = process_->wait_for(milliseconds(0)))
        throw Error(ErrorKind::source,
                    "the private server ended by itself, " + status->describe() + ": " + log_tail());
    const auto status = process_->terminate(stop_limit);
    if (!status.ok())
        throw Error(ErrorKind::source,
                    "the private server did not stop well, " + status.describe() + ": " + log_tail());
}

std::string PrivateServer::log_tail() {
    try {
        // Foreign text: names and data of the database may stand in it.
        const auto text = read_file(log_in(folder_), max_log);
        std::string errors;
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);)
            if (line.find("[ERROR]") != std::string::npos) errors += line.substr(line.find("[ERROR]")) + " ";
        if (errors.empty()) errors = text.substr(text.size() > shown_log ? text.size() - shown_log : 0);
        return printable_line(errors, shown_log);
    } catch (const Error&) {
        said_.map_all();
        return printable_line(last_line(said_.view()), shown_log);
    }
}

void PrivateServer::end_abandoned(const fs::path& folder) {
    try {
        const std::string text = read_file(pid_in(folder), 64);
        pid_t pid = 0;
        std::from_chars(text.data(), text.data() + text.size(), pid);
        if (pid <= 1) return;
        const fs::path process = fs::path("/proc") / std::to_string(pid);
        const auto is_it = [&] {
            std::ifstream file(process / "cmdline");  // empty or not there when it is gone
            const std::string words((std::istreambuf_iterator<char>(file)), {});
            return words.find(socket_in(folder).string()) != std::string::npos;
        };
        for (int attempt = 0; attempt < 100 && is_it(); ++attempt) {
            ::kill(pid, SIGKILL);
            std::this_thread::sleep_for(milliseconds(50));
        }
    } catch (const Error&) {
        return;  // no pid file: no server
    }
}

}  // namespace strongroom::restore
