// Log events. Each has a stable id (docs/events.md) and one line of text; nothing secret ever goes in.
//
//   log_event(Level::info, "AGENT_BACKUP_COMMITTED", "set {} of server {}", set_id, uuid);
//
// Lines go to stderr as "2026-11-22T01:37:00Z INFO AGENT_BACKUP_COMMITTED text" (journald adds the rest).
// Thread-safe. Errors are returned up and logged once, at the top.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace strongroom {

enum class Level { debug, info, warning, error };

void set_log_level(Level level);  // default: info
void write_log(Level level, std::string_view event, std::string_view text);

template <class... Args>
void log_event(Level level, std::string_view event, fmt::format_string<Args...> format, Args&&... args) {
    write_log(level, event, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace strongroom
