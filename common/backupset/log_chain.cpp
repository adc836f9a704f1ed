#include "common/backupset/log_chain.hpp"

#include <algorithm>
#include <map>
#include <tuple>

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

    // Of one log; numbers of files grow longer.
    bool ends_before_point(const LogPart& part) const {
        const auto order = [](const std::string& file) { return std::pair(file.size(), file); };
        return part.file == from_.file ? part.last < from_.offset : order(part.file) < order(from_.file);
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

    // A crash between the commit of a piece and the agent's note of it makes two with one parent, and the log
    // goes on from one of them only.
    void take_longest(const std::string& held, const std::function<bool(const LogPart&)>& reached) {
        std::vector<const Manifest*> last_first;
        for (const auto& [parent, child] : children_) last_first.push_back(child);
        std::ranges::sort(last_first, [](const Manifest* a, const Manifest* b) {
            const LogPart& x = *a->log;
            const LogPart& y = *b->log;
            return std::tuple(x.file.size(), x.file, x.last, a->set) >
                   std::tuple(y.file.size(), y.file, y.last, b->set);
        });
        std::map<std::string, std::pair<std::size_t, const Manifest*>>
            best;  // of a parent: pieces from there on
        for (const Manifest* one : last_first) {
            const auto after = best.find(one->set);
            const std::size_t length = 1 + (after == best.end() ? 0 : after->second.first);
            auto& known = best[*one->parent];
            if (length > known.first) known = {length, one};
        }
        auto& pieces = out_.pieces;
        while (pieces.back().set != held) pieces.pop_back();
        for (auto next = best.find(held); next != best.end() && !(out_.reached = reached(*pieces.back().log));
             next = best.find(pieces.back().set))
            pieces.push_back(*next->second.second);
        out_.reached = reached(*pieces.back().log);
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
