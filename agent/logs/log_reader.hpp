// mariadb-binlog (mysqlbinlog) as a replica that writes what it gets into files of the same names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/base/mem_file.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::agent {

// The program that is installed. Throws Error{tool_missing}.
std::string log_reader_program();

class LogReader {
  public:
    // Reads `file` from its start, and with `follow` all that comes after it as it is written, into `folder`
    // (private). `server` makes the id of a replica that no other has. It dies with the calling thread.
    LogReader(const std::filesystem::path& option_file, const std::filesystem::path& folder,
              const std::string& file, bool follow, const std::string& server);

    // True once it has read a finished file with success. Throws Error{source} with its words if it ended
    // otherwise.
    bool ended();

  private:
    MemFile said_;
    bool follow_;
    std::optional<Subprocess> process_;
};

}  // namespace strongroom::agent
