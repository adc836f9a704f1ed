// The pieces of a server's binary log in a store, in their order (docs/format.md section 9).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/backupset/manifest.hpp"
#include "common/backupset/signers.hpp"
#include "common/base/clock.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// A place in a binary log: `offset` bytes of `file` lie before it.
struct LogPoint {
    std::string file;
    std::int64_t offset = 0;
};

// Whether `next`, whose parent is `part`, begins exactly where that ends: in the same file, or in the one
// after it, by what `part` says or (after a crash of the server, which did not say it) by its number.
bool follows(const LogPart& next, const LogPart& part);

// Where each of these pieces leads: by a piece's id, the next one, of several the one that the log goes on
// from. (A crash between the commit of a piece and the agent's note of it makes two with one parent.) Each of
// `pieces` follows its parent; the result refers to them.
std::map<std::string, const Manifest*> next_pieces(std::vector<const Manifest*> pieces);

struct LogPath {
    // Without a gap: the first one begins its file, which is the one of the point that was asked for; that
    // point is in one of them, or at its end. Empty if no piece holds the point.
    std::vector<Manifest> pieces;
    bool reached = false;  // the last piece is what was asked for
    std::string ends;      // if not reached: why the log goes no further; for people
};

// The log from `from` on, a point at about the time `about`, up to the first piece for which `reached` is
// true. Reads the manifests of that stretch only; each must be signed by one of `signers`. A piece that
// cannot be trusted ends the path. Throws what the store throws, and Error{tool_missing}.
LogPath read_log_path(storage::ObjectStore& store, const std::string& server, const Signers& signers,
                      const LogPoint& from, UtcTime about,
                      const std::function<bool(const LogPart&)>& reached);

}  // namespace strongroom::backupset
