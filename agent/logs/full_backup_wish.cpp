#include "agent/logs/full_backup_wish.hpp"

#include <algorithm>

#include "agent/policy/backup_window.hpp"

namespace strongroom::agent {
namespace {

bool is_needed(const LogState& logs, const RunState& runs) {
    if (!logs.at || logs.at->since == 0) return false;
    const std::int64_t after = logs.at->since + 1000;  // events have whole seconds
    return std::ranges::none_of(runs.runs, [&](const Run& run) { return run.backup.created >= after; });
}

std::string what_it_waits_for(const AgentConfig& config, UtcTime now) {
    if (std::ranges::find(config.allow_kinds, "backup") == config.allow_kinds.end())
        return "which this host does not make by itself (\"backup\" is not in allow-kinds): strongroom-agent "
               "backup";
    const BackupWindows windows(config.backup_windows);
    if (windows.contains(now)) return "";
    const auto next = windows.next(now);
    return "which begins in the next backup window (" + windows.text() + ", local time)" +
           (next ? ", at " + format_utc(*next) : "") + "; at once: strongroom-agent backup --outside-window";
}

}  // namespace

std::string FullBackupWish::text() const {
    return "a full backup is wanted since " + format_utc(since) + (waits.empty() ? "" : ", " + waits);
}

std::optional<FullBackupWish> full_backup_wish(const AgentConfig& config, const LogState& logs,
                                               const RunState& runs, UtcTime now) {
    if (!is_needed(logs, runs)) return std::nullopt;
    return FullBackupWish{from_millis(logs.at->since), what_it_waits_for(config, now)};
}

}  // namespace strongroom::agent
