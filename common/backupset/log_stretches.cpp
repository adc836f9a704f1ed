#include "common/backupset/log_stretches.hpp"

#include <algorithm>
#include <tuple>

#include "common/backupset/log_chain.hpp"

namespace strongroom::backupset {
namespace {

// Numbers of files grow longer.
auto place(const Manifest& piece) {
    return std::tuple(piece.log->file.size(), piece.log->file, piece.log->last, piece.set);
}

std::string why_begins(const std::map<std::string, Manifest>& trusted, const Manifest& piece) {
    if (!piece.parent) return "the agent began anew: a gap, or the beginning";
    const auto parent = trusted.find(*piece.parent);
    return "log " + *piece.parent +
           (parent == trusted.end() ? ", before it, is not there (pruned, or lost), or cannot be trusted"
                                    : " does not lead to it");
}

bool has_good_parent(const std::map<std::string, Manifest>& trusted, const Manifest& piece) {
    const auto parent = piece.parent ? trusted.find(*piece.parent) : trusted.end();
    return parent != trusted.end() && follows(*piece.log, *parent->second.log);
}

}  // namespace

std::vector<LogStretchInfo> log_stretches(const std::map<std::string, Manifest>& trusted) {
    std::vector<const Manifest*> last_first;
    for (const auto& [id, piece] : trusted)
        if (piece.log) last_first.push_back(&piece);
    std::ranges::sort(last_first, [](auto* a, auto* b) { return place(*a) > place(*b); });
    // Of each piece: how many come after it, and the one that leads to them.
    std::map<std::string, std::pair<std::size_t, const Manifest*>> after;
    for (const Manifest* piece : last_first) {
        if (!has_good_parent(trusted, *piece)) continue;
        const auto own = after.find(piece->set);
        const std::size_t length = 1 + (own == after.end() ? 0 : own->second.first);
        auto& known = after[*piece->parent];
        if (length > known.first) known = {length, piece};
    }
    std::vector<LogStretchInfo> out;
    for (const Manifest* piece : last_first) {
        if (has_good_parent(trusted, *piece)) continue;
        LogStretchInfo stretch{{piece}, why_begins(trusted, *piece)};
        for (auto next = after.find(piece->set); next != after.end();
             next = after.find(next->second.second->set))
            stretch.pieces.push_back(next->second.second);
        out.push_back(std::move(stretch));
    }
    std::ranges::sort(out, {}, [](const LogStretchInfo& one) { return one.pieces.front()->set; });
    return out;
}

bool holds(const LogStretchInfo& stretch, const Manifest& set) {
    if (!set.position.binlog_file || !set.position.binlog_position) return false;
    const auto& file = *set.position.binlog_file;
    const auto offset = *set.position.binlog_position;
    if (set.finished < stretch.pieces.front()->log->began) return false;  // of a log before a RESET MASTER
    return std::ranges::any_of(stretch.pieces, [&](const Manifest* piece) {
        return piece->log->file == file && piece->log->first <= offset && offset <= piece->log->last;
    });
}

}  // namespace strongroom::backupset
