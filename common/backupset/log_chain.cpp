#include "common/backupset/log_chain.hpp"

#include <algorithm>
#include <map>

#include "common/backupset/segment_reader.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"

namespace strongroom::backupset {
namespace {

class Walk {
  public:
    Walk(storage::ObjectStore& store, const std::string& server, const Signers& signers, const LogPoint& from)
        : store_(store), server_(server), signers_(signers), from_(from), ids_(log_folders(store, server)) {}

    LogPath run(UtcTime about, const std::function<bool(const LogPart&)>& reached) {
        const auto held = piece_with_point(about);
        if (held.empty()) {
            out_.ends = problem_.empty() ? "no piece of the binary log in the store holds byte " +
                                               std::to_string(from_.offset) + " of " + from_.file
                                         : problem_;
            return std::move(out_);
        }
        if (!from_start_of_file(held)) return std::move(out_);
        go_on(held, reached);
        if (!out_.reached && out_.ends.empty())
            out_.ends = problem_.empty() ? "it is the newest piece in the store" : problem_;
        return std::move(out_);
    }

  private:
    // nullptr: not committed, removed, or not to be trusted (then problem_ says so).
    const Manifest* read(const std::string& id) {
        const auto known = read_.find(id);
        if (known != read_.end()) return known->second ? &*known->second : nullptr;
        std::optional<Manifest> manifest;
        try {
            manifest = read_manifest(store_, server_, id, signers_);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::tool_missing || !is_about_the_data(error.kind())) throw;
            if (error.kind() != ErrorKind::not_found) problem_ = error.text();
        }
        const auto& kept = read_.emplace(id, std::move(manifest)).first->second;
        return kept ? &*kept : nullptr;
    }

    bool holds_point(const LogPart& part) const {
        return part.file == from_.file && part.first <= from_.offset && from_.offset <= part.last;
    }

    // From a piece of about that time back by its parents.
    std::string piece_with_point(UtcTime about) {
        const auto near = std::ranges::lower_bound(ids_, format_compact(about));
        const Manifest* at = nullptr;
        for (auto id = near; id != ids_.end() && at == nullptr; ++id) at = read(*id);
        for (auto id = near; id != ids_.begin() && at == nullptr;) at = read(*--id);
        while (at != nullptr && !holds_point(*at->log)) at = at->parent ? read(*at->parent) : nullptr;
        return at == nullptr ? "" : at->set;
    }

    bool from_start_of_file(const std::string& held) {
        std::vector<Manifest> back;
        for (const Manifest* at = read(held);; at = read(*at->parent)) {
            if (at == nullptr || (!back.empty() && !follows(*back.back().log, *at->log))) {
                out_.ends = "the beginning of " + from_.file + " is not in the store" +
                            (problem_.empty() ? "" : ": " + problem_);
                return false;
            }
            back.push_back(*at);
            if (at->log->first == 0) break;  // else it has a parent: decode_manifest() saw to that
        }
        out_.pieces.assign(back.rbegin(), back.rend());
        return true;
    }

    // A crash between commit and the agent's own note of it makes two pieces with the same parent: the log
    // goes on from the later one.
    void go_on(const std::string& held, const std::function<bool(const LogPart&)>& reached) {
        auto id = std::ranges::upper_bound(ids_, held);
        while (!(out_.reached = reached(*out_.pieces.back().log)) && id != ids_.end()) {
            const Manifest* next = read(*id++);
            if (next == nullptr || !next->parent) continue;
            auto& pieces = out_.pieces;
            const bool twin = pieces.size() > 1 && next->parent == pieces.back().parent &&
                              follows(*next->log, *pieces[pieces.size() - 2].log);
            if (twin) pieces.pop_back();
            if (next->parent != pieces.back().set) continue;
            if (!follows(*next->log, *pieces.back().log)) {
                out_.ends = "log " + next->set + " does not begin where the one before it ends";
                return;
            }
            pieces.push_back(*next);
        }
    }

    storage::ObjectStore& store_;
    const std::string& server_;
    const Signers& signers_;
    const LogPoint& from_;
    const std::vector<std::string> ids_;
    std::map<std::string, std::optional<Manifest>> read_;
    std::string problem_;
    LogPath out_;
};

}  // namespace

bool follows(const LogPart& next, const LogPart& part) {
    if (part.next) return next.file == *part.next && next.first == 0;
    return next.file == part.file && next.first == part.last;
}

LogPath read_log_path(storage::ObjectStore& store, const std::string& server, const Signers& signers,
                      const LogPoint& from, UtcTime about,
                      const std::function<bool(const LogPart&)>& reached) {
    return Walk(store, server, signers, from).run(about, reached);
}

}  // namespace strongroom::backupset
