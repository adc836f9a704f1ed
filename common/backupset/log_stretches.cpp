#include "common/backupset/log_stretches.hpp"

#include <algorithm>

#include "common/backupset/log_chain.hpp"

namespace strongroom::backupset {
namespace {

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
    std::vector<const Manifest*> following;
    std::vector<const Manifest*> first;
    for (const auto& [id, piece] : trusted)
        if (piece.log) (has_good_parent(trusted, piece) ? following : first).push_back(&piece);
    const auto next = next_pieces(std::move(following));
    std::vector<LogStretchInfo> out;
    for (const Manifest* piece : first) {
        LogStretchInfo stretch{{piece}, why_begins(trusted, *piece)};
        for (auto one = next.find(piece->set); one != next.end(); one = next.find(one->second->set))
            stretch.pieces.push_back(one->second);
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
