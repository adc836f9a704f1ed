#include "agent/policy/policy.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

void require_pause(const std::string& what, UtcTime now, std::optional<UtcTime> last,
                   std::chrono::seconds pause, const std::string& hint) {
    // A last one in the future (the clock was set back) does not lock the next one out.
    if (!last || *last > now || now - *last >= pause) return;
    throw Error(ErrorKind::refused,
                "the last " + what + " began " + format_duration(now - *last) +
                    " ago; this host allows one every " + format_duration(pause),
                hint);
}

}  // namespace

const std::vector<std::string>& Policy::kinds() {
    static const std::vector<std::string> all{"backup", "incremental", "escrow", "rotate",
                                              "verify", "verify-full", "prune"};
    return all;
}

bool Policy::knows(const std::string& kind) {
    return std::ranges::find(kinds(), kind) != kinds().end();
}

void Policy::require_kind(const std::string& kind) const {
    if (!knows(kind))
        throw Error(ErrorKind::refused,
                    "this agent does not know the job kind \"" + printable_line(kind, 40) + "\"");
    if (std::ranges::find(allow_kinds, kind) == allow_kinds.end())
        throw Error(ErrorKind::refused, "this host does not allow jobs of kind \"" + kind + "\"",
                    "Add it to allow-kinds in the agent's configuration, if that is wanted.");
}

void Policy::require_window(UtcTime now) const {
    if (windows.contains(now)) return;
    throw Error(ErrorKind::refused,
                "window: backups of this host begin only within " + windows.text() +
                    ", its local time, and it is " + local_time_of_day(now),
                "Set backup-window in the agent's configuration, or the schedule, to fit each other.");
}

void Policy::require_interval(UtcTime now, std::optional<UtcTime> last) const {
    require_pause("backup", now, last, min_interval,
                  "Lower min-interval in the agent's configuration, if that is wanted.");
}

void Policy::require_rotation_interval(UtcTime now, std::optional<UtcTime> last) const {
    require_pause("rotation", now, last, min_rotation_interval,
                  "Lower min-rotation-interval in the agent's configuration, or rotate on the host: "
                  "strongroom-agent rotate");
}

void Policy::require_verify_interval(UtcTime now, std::optional<UtcTime> last) const {
    require_pause("verification of this kind", now, last, min_verify_interval,
                  "Lower min-verify-interval in the agent's configuration, or verify on the host: "
                  "strongroom-agent verify");
}

void Policy::require_pinned(const std::vector<std::string>& ordered, const std::vector<std::string>& pinned) {
    if (pinned.empty()) throw Error(ErrorKind::refused, "no recovery key is pinned on this host");
    for (const auto& fingerprint : ordered)
        if (std::ranges::find(pinned, fingerprint) == pinned.end())
            throw Error(
                ErrorKind::refused,
                "the escrow recipient " + printable_line(fingerprint, 80) + " is not pinned on this host",
                "Only recovery keys given at registration are used. If you did not order this, the "
                "dispatcher may be dishonest.");
}

}  // namespace strongroom::agent
