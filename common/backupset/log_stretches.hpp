// What of a server's binary log can be replayed: the pieces in a store, put together.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/backupset/manifest.hpp"

namespace strongroom::backupset {

// Pieces that follow each other without a gap.
struct LogStretchInfo {
    std::vector<const Manifest*> pieces;  // in order, at least one
    std::string begins;                   // for people: why nothing is before it
};

// Of pieces whose signatures were verified (log id -> manifest): all stretches, oldest first. Where a piece
// is there twice, the one that the log goes on from counts. The result refers to `trusted`.
std::vector<LogStretchInfo> log_stretches(const std::map<std::string, Manifest>& trusted);

// Whether a set's place in the binary log lies in a stretch, so that it can be replayed from there on.
bool holds(const LogStretchInfo& stretch, const Manifest& set);

}  // namespace strongroom::backupset
