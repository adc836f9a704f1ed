// A private MariaDB for one test: its own folder, its own socket, no network port, run as user `mysql` when
// the tests run as root. Starts in about two seconds; the destructor stops it by its own pid and removes the
// folder.
//
// Used from one thread. Errors: Error{source} with the end of the server's log.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/base/file.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::test {

class MariadbServer {
  public:
    struct Options {
        std::filesystem::path datadir;  // a prepared one to start from (used in place); empty: a fresh one
        bool binlog = true;
        std::string key_file;  // encrypts data files with these keys ("1;<hex>"); empty: it does not
    };
    MariadbServer() : MariadbServer(Options{}) {}
    explicit MariadbServer(Options options);
    ~MariadbServer();
    MariadbServer(const MariadbServer&) = delete;

    const std::filesystem::path& folder() const { return folder_.path(); }
    const std::filesystem::path& datadir() const { return datadir_; }
    std::filesystem::path socket() const { return folder() / "s.sock"; }
    std::filesystem::path log() const { return folder() / "error.log"; }
    pid_t pid() const { return process_->pid(); }

    // Runs statements as the database's root and returns the rows: columns by tab, rows by newline, no
    // header.
    std::string run_sql(const std::string& sql, const std::string& database = {}) const;

    // Makes `user` with these grants ("RELOAD, PROCESS, BINLOG MONITOR ON *.*"; empty: none) and a private
    // [client] option file for it, inside folder().
    std::filesystem::path option_file(const std::string& user, const std::string& grants) const;

    // Loads a test file of Debian's mariadb-test ("world_schema.inc", "world.inc", "dbt3_s001.inc") into a
    // database.
    void load(const std::string& database, const std::string& file) const;

    void stop();   // clean shutdown; Error{source} if it does not end
    void kill();   // SIGKILL, as a crash
    void start();  // again, on the same data

  private:
    std::string log_tail() const;

    TempDir folder_;
    std::filesystem::path datadir_;
    std::optional<Subprocess> process_;
};

// Gives a folder and all in it to the user that test servers run as. Does nothing when not run as root.
void give_to_mysql(const std::filesystem::path& path);

}  // namespace strongroom::test
