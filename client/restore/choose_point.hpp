// From which set, along which pieces of the binary log, a moment is reached; and if it is not, what is.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/backupset/log_chain.hpp"
#include "common/backupset/set_list.hpp"
#include "common/restore/target_point.hpp"

namespace strongroom::client {

// How a set's own moment lies to a target. `at`: it is the target, to the transaction. `unknown`: it names no
// place in a binary log, or one of another log.
enum class Side { before, at, after, unknown };
// By time only what was finished in a second before the target's is surely before it.
Side side_of(const backupset::Manifest& set, const restore::TargetPoint& target);

// Whether a piece holds the target, or the log has gone past it.
bool reaches(const backupset::LogPart& part, const restore::TargetPoint& target);

struct Route {
    backupset::Manifest base;
    std::vector<backupset::Manifest> pieces;  // none: the base is what was asked for
};

// The pieces from a set on, as backupset::read_log_path() finds them.
using FindPath = std::function<backupset::LogPath(const backupset::Manifest& base)>;

// `sets` as list_sets() gives them, those that cannot be trusted included (they are passed over). `named`:
// the set to begin with; empty: the newest that leads there. Throws Error{not_found} with the nearest points
// on both sides if the target cannot be reached; Error{usage} if there is no physical set to begin with.
Route choose_route(const std::vector<backupset::SetInfo>& sets, const restore::TargetPoint& target,
                   const std::string& named, const FindPath& find_path);

}  // namespace strongroom::client
