#include "common/backupset/log_chain.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "common/backupset/segment_reader.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"

namespace strongroom::backupset {
namespace {

// In the order of one server's log: numbers of files grow longer.
auto place(const std::string& file, std::int64_t offset) {
    return std::tuple(file.size(), file, offset);
}

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

    bool ends_before_point(const LogPart& part) const {
        return place(part.file, part.last) < place(from_.file, from_.offset);
    }

    std::string by_parents(const Manifest* at) {
        while (at != nullptr && !holds_point(*at->log)) at = at->parent ? read(*at->parent) : nullptr;
        return at == nullptr ? "" : at->set;
    }

    // From the first piece of that time on, until one holds the point or lies behind it (those that were
    // late come first); from there back by its parents; else from the last piece before that time.
    std::string piece_with_point(UtcTime about) {
        const auto near = std::ranges::lower_bound(ids_, format_compact(about));
        const Manifest* at = nullptr;
        for (auto id = near; id != ids_.end() && (at == nullptr || ends_before_point(*at->log)); ++id)
            if (const Manifest* next = read(*id)) at = next;
        if (at != nullptr && !ends_before_point(*at->log))
            if (auto held = by_parents(at); !held.empty()) return held;
        at = nullptr;
        for (auto id = near; id != ids_.begin() && at == nullptr;) at = read(*--id);
        return by_parents(at);
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

    void go_on(const std::string& held, const std::function<bool(const LogPart&)>& reached) {
        auto& pieces = out_.pieces;
        const auto extend = [&] {
            while (!(out_.reached = reached(*pieces.back().log))) {
                const auto found = children_.find(pieces.back().set);
                if (found == children_.end()) return;
                pieces.push_back(*found->second);
            }
        };
        // Ids sort by time, but within one second in any order.
        auto id = std::ranges::lower_bound(ids_, held.substr(0, held.find('-')));
        for (extend(); !out_.reached && id != ids_.end(); ++id) {
            const Manifest* one = read(*id);
            if (one == nullptr || !one->parent) continue;
            const Manifest* parent = read(*one->parent);
            if (parent == nullptr) continue;
            if (!follows(*one->log, *parent->log)) {
                problem_ = "log " + one->set + " does not begin where the one before it ends";
                continue;
            }
            children_.emplace(*one->parent, one);
            if (*one->parent == pieces.back().set) extend();
        }
        if (!out_.reached) take_longest(held, reached);
    }

    // What was found first may be the one of two pieces that the log does not go on from.
    void take_longest(const std::string& held, const std::function<bool(const LogPart&)>& reached) {
        std::vector<const Manifest*> found;
        for (const auto& [parent, child] : children_) found.push_back(child);
        const auto next = next_pieces(std::move(found));
        auto& pieces = out_.pieces;
        while (pieces.back().set != held) pieces.pop_back();
        while (!(out_.reached = reached(*pieces.back().log))) {
            const auto one = next.find(pieces.back().set);
            if (one == next.end()) return;
            pieces.push_back(*one->second);
        }
    }

    storage::ObjectStore& store_;
    const std::string& server_;
    const Signers& signers_;
    const LogPoint& from_;
    const std::vector<std::string> ids_;
    std::map<std::string, std::optional<Manifest>> read_;
    std::multimap<std::string, const Manifest*> children_;  // by their parent
    std::string problem_;
    LogPath out_;
};

}  // namespace

std::map<std::string, const Manifest*> next_pieces(std::vector<const Manifest*> pieces) {
    const auto key = [](const Manifest* piece) {
        return std::tuple(place(piece->log->file, piece->log->last), piece->set);
    };
    std::ranges::sort(pieces, std::ranges::greater(), key);
    std::map<std::string, std::size_t> behind;  // of a piece: the most that come after it
    std::map<std::string, const Manifest*> out;
    for (const Manifest* piece : pieces) {
        const std::size_t length = 1 + behind[piece->set];
        auto& known = behind[*piece->parent];
        if (length <= known) continue;
        known = length;
        out[*piece->parent] = piece;
    }
    return out;
}

bool follows(const LogPart& next, const LogPart& part) {
    if (next.first == 0) return next.file == part.next.value_or(log_file_after(part.file));
    return next.file == part.file && next.first == part.last && !part.next;
}

LogPath read_log_path(storage::ObjectStore& store, const std::string& server, const Signers& signers,
                      const LogPoint& from, UtcTime about,
                      const std::function<bool(const LogPart&)>& reached) {
    return Walk(store, server, signers, from).run(about, reached);
}

}  // namespace strongroom::backupset
