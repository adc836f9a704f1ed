// Binary logs on a restored data directory: mariadb-binlog | mariadb, into a private server, in one session.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "common/restore/log_files.hpp"

namespace strongroom::restore {

struct ReplayWork {
    std::filesystem::path datadir;  // prepared; belongs to server_user(), as `run` and the files of the logs
    std::filesystem::path run;      // private, for the server: holds an empty folder `tmp`
    // LOAD DATA statements of the log may read files: those that are in the log, and any other that their
    // text names and server_user() may read.
    bool allow_load_data = false;
    std::function<void(std::int64_t)> on_bytes;  // of SQL so far; throwing from it ends the work
    std::function<void()> idle;                  // while the server starts
};

// Applies exactly the transactions of `stretch`, and stops the server so that nothing is left to recover.
// Throws Error{source} with the words of the program that failed, and unless the session says itself that the
// last transaction was the one that was to be; then `datadir` is worth nothing. Throws Error{tool_missing}.
void replay_logs(const ReplayWork& work, const LogStretch& stretch);

// Throws Error{tool_missing} unless all that it needs is installed.
void require_replay_tools();

// mariadb-binlog with what makes it write exactly `stretch`; its files are named as they are.
std::vector<std::string> binlog_command(const LogStretch& stretch, const std::filesystem::path& load_folder);

}  // namespace strongroom::restore
