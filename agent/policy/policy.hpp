// What a dispatcher may ask of this host, decided here alone (S3, S4, S7). A dispatcher that is broken into
// can order nothing that these checks refuse; the refusal is reported and logged by the caller.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/policy/backup_window.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

struct Policy {
    std::vector<std::string> allow_kinds;
    std::chrono::seconds min_interval{300};
    std::chrono::seconds min_rotation_interval{86'400};
    std::chrono::seconds min_verify_interval{3'600};
    BackupWindows windows{};

    // The kinds that this agent can do at all: a closed set.
    static const std::vector<std::string>& kinds();
    static bool knows(const std::string& kind);

    // All throw Error{refused} that says which rule it was and where it is set.
    void require_kind(const std::string& kind) const;
    // Whether a backup may begin now.
    void require_window(UtcTime now) const;
    // `last` is the start of the last backup that was ordered or due by a schedule. What a person, or the
    // chain of the binary log, asked for does not stand in its way.
    void require_interval(UtcTime now, std::optional<UtcTime> last) const;
    // `last` is the start of the last rotation that was finished; going on with an unfinished one is no
    // order.
    void require_rotation_interval(UtcTime now, std::optional<UtcTime> last) const;
    // `last` is the start of the last verification of the same kind (digests, or full) that a dispatcher
    // ordered.
    void require_verify_interval(UtcTime now, std::optional<UtcTime> last) const;
    // An order may only repeat fingerprints that are pinned here; an empty order means "all pinned".
    static void require_pinned(const std::vector<std::string>& ordered,
                               const std::vector<std::string>& pinned);
};

}  // namespace strongroom::agent
