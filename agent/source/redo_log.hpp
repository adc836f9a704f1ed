// InnoDB's log, as the server says where it stands.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace strongroom::agent {

struct RedoLog {
    std::int64_t written = 0;     // "Log sequence number": bytes of log ever written
    std::int64_t checkpoint = 0;  // all pages changed before this are in the data files
};

// Reads SHOW ENGINE INNODB STATUS, which needs PROCESS, as the physical tools do. Throws Error{source}.
RedoLog ask_redo_log(const std::filesystem::path& option_file);

// The two numbers in that text. Throws Error{source} if one is missing.
RedoLog read_innodb_status(const std::string& text);

// An increment holds every page changed since the last checkpoint before its parent: a server that wrote a
// little and then idles would have the same pages copied each time. So a server that idles is told to make a
// checkpoint first (SET GLOBAL innodb_log_checkpoint_now, which needs SUPER or its like); one that writes
// more than `idle_bytes` in a second is left alone: writing out all its pages at once would cost it more than
// the increment saves. Returns what was done, for the log: "" if there was nothing to do. Never throws: a
// backup works without.
std::string advance_checkpoint(const std::filesystem::path& option_file) noexcept;

inline constexpr std::int64_t small_checkpoint_age = 64 << 10;  // bytes: not worth a checkpoint
inline constexpr std::int64_t idle_bytes = 1 << 20;             // of log in a second

}  // namespace strongroom::agent
