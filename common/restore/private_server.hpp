// A MariaDB server on a restored data directory that nobody else can reach: no network, no plugins
// but the built-in ones, no binary log, no replication, no events; its socket is in a private folder.
// It has the priority of the thread that starts it, and dies with that thread, however it ends.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/mem_file.hpp"
#include "common/base/subprocess.hpp"
#include "common/restore/sql_client.hpp"

namespace strongroom::restore {

// Whom the server runs as: this process' own user, or `mysql` if that is root (the server refuses root).
struct ServerUser {
    bool other = false;
    unsigned uid = 0;
    unsigned gid = 0;
};
ServerUser server_user();

// The server's program. Throws Error{tool_missing} if it, or what ties it to this process, is not installed.
std::string server_program();

// Options for the server that the backup tool's own file backup-my.cnf asks for, which say how the data files
// are laid out: known names and harmless values only; all else in the file is left out.
std::vector<std::string> layout_options(const std::string& backup_my_cnf);

// The first words of a command that runs as server_user() and is killed when the calling thread ends.
std::vector<std::string> as_server_user();

class PrivateServer {
  public:
    // `check` is for looking only, without the grant tables. `load` is for taking a dump in: an empty
    // server's own grant tables, so that a dump may replace them and make events (which never run), and a
    // shutdown that leaves nothing to recover. `replay` is for binary logs on restored files: as `load`, on
    // their own grant tables, with an account for it that its user must drop at the end; nothing is durable
    // before stop().
    enum class Use { check, load, replay };

    // `folder` is empty, private and belongs to server_user(): for socket, log and temporary files; `datadir`
    // belongs to it, too. Waits until the server answers. `idle` as in SqlClient. Throws Error{source} with
    // the end of its log if it ends or does not answer within `limit`, Error{tool_missing}, Error{config} if
    // the path is too long for a socket.
    PrivateServer(const std::filesystem::path& datadir, const std::filesystem::path& folder,
                  const std::function<void()>& idle, Use use = Use::check,
                  std::chrono::seconds limit = std::chrono::minutes(10));
    // Kills a server that was not stopped.
    ~PrivateServer() = default;
    PrivateServer(const PrivateServer&) = delete;

    SqlClient client() const;
    std::vector<std::string> connection() const;  // first arguments of a client of it
    // Of connection(). For `replay`: its account, NAME@localhost, which may do everything.
    const std::string& user() const { return user_; }
    pid_t pid() const { return process_->pid(); }
    // Shuts it down and waits. Throws Error{source} unless it was running until now and ends with success.
    void stop();

    // Ends a server that a killed process left behind in `folder` (a race that its death signal can lose).
    static void end_abandoned(const std::filesystem::path& folder);

  private:
    std::string log_tail();
    std::filesystem::path folder_;
    std::function<void()> idle_;
    std::string user_ = "root";
    MemFile said_;  // before it has a log
    std::optional<Subprocess> process_;
};

}  // namespace strongroom::restore
