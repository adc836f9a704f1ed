// What the database server says of its binary log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/clock.hpp"

namespace strongroom::agent {

struct ServerLog {
    UtcTime now{};               // by the server's clock, before it was asked for the rest
    std::int64_t server_id = 0;  // @@server_id
    std::string version;
    std::string file;         // that it writes to,
    std::int64_t offset = 0;  // and how far
    struct File {
        std::string name;
        std::int64_t size = 0;  // bytes
    };
    std::vector<File> files;  // that it has still, oldest first

    const File* find(const std::string& name) const;  // nullptr: not there
};

// Needs BINLOG MONITOR (REPLICATION CLIENT). Throws Error{config} if the server writes no binary log or its
// files have names that are not taken, else as ask_mysql().
ServerLog ask_server_log(const std::filesystem::path& option_file);

// From the answer's lines; pure. Throws Error{source}.
ServerLog read_server_log(const std::string& answer);

}  // namespace strongroom::agent
