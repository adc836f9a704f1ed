#include "client/restore/choose_point.hpp"

#include <algorithm>
#include <map>

#include "common/backupset/chain.hpp"
#include "common/base/error.hpp"

namespace strongroom::client {
namespace {

using backupset::LogPath;
using backupset::Manifest;
using restore::TargetPoint;
using Kind = TargetPoint::Kind;

// A broken log is found again from each older set: so many are tried.
constexpr int most_tries = 20;

backupset::LogPoint place_of(const Manifest& set) {
    return {*set.position.binlog_file, *set.position.binlog_position};
}

bool has_place(const Manifest& set) {
    return set.position.binlog_file && set.position.binlog_position &&
           backupset::is_log_file(*set.position.binlog_file);
}

bool can_be_replayed_on(const Manifest& set) {
    return set.stream == "xbstream" && set.source_tool == "mariadb-backup" && has_place(set);
}

Side by_gtid(const Manifest& set, const binlog::Gtid& target) {
    binlog::GtidState state;
    try {
        state = binlog::parse_gtid_state(set.position.gtid.value_or(""));
    } catch (const Error&) {
        return Side::unknown;  // of MySQL
    }
    const auto at = state.find(target.domain);
    if (at == state.end() || at->second.sequence < target.sequence) return Side::before;
    return at->second == target ? Side::at : Side::after;
}

// The farthest point before the target that can be restored.
struct Nearest {
    UtcTime time{};
    std::string text;
    std::string ends;  // why no further

    void offer(UtcTime other, const std::string& its_text, const std::string& why) {
        if (ends.empty()) ends = why;  // of the newest set
        if (!text.empty() && other <= time) return;
        time = other;
        text = its_text;
    }
    void offer(const Manifest& base, const LogPath& path) {
        if (path.pieces.empty())
            return offer(parse_utc(base.finished),
                         "--set " + base.set + " without --until, of " + base.finished, path.ends);
        const auto& last = *path.pieces.back().log;
        offer(parse_utc(last.covered),
              "--until " + last.covered + " (" + last.file + ":" + std::to_string(last.last) +
                  (last.gtid.empty() ? "" : ", GTID " + last.gtid) + ")",
              path.ends);
    }
};

class Choice {
  public:
    Choice(const std::vector<backupset::SetInfo>& sets, const TargetPoint& target, const FindPath& find_path)
        : target_(target), find_path_(find_path) {
        for (const auto& one : sets)
            if (one.manifest) trusted_.emplace(one.set, *one.manifest);
        for (const auto& [id, set] : trusted_)
            if (can_be_replayed_on(set) && backupset::chain_problem(trusted_, id).empty())
                bases_.push_back(&set);
        std::ranges::stable_sort(bases_, {}, [](const Manifest* set) { return set->finished; });
    }

    Route from_newest() {
        if (bases_.empty()) throw_no_base();
        int tries = 0;
        for (auto set = bases_.rbegin(); set != bases_.rend() && tries < most_tries; ++set) {
            const Side side = side_of(**set, target_);
            if (side == Side::at) return {**set, {}};
            if (side != Side::before) continue;
            ++tries;
            if (auto route = route_from(**set)) return *route;
            // The log of a time is one; of a position, there may be an older one with the same names.
            if (target_.kind == Kind::latest) break;
        }
        throw_unreachable();
    }

    Route from_named(const std::string& named) {
        const auto found = trusted_.find(named);
        if (found == trusted_.end() || std::ranges::find(bases_, &found->second) == bases_.end())
            throw_no_base_named(named, found == trusted_.end() ? nullptr : &found->second);
        const Manifest& set = found->second;
        const Side side = side_of(set, target_);
        if (side == Side::at) return {set, {}};
        if (side == Side::before)
            if (auto route = route_from(set)) return *route;
        if (side == Side::after)
            nearest_.ends = "set " + named + " holds what was written up to " + set.finished;
        throw_unreachable();
    }

  private:
    std::optional<Route> route_from(const Manifest& set) {
        auto path = find_path_(set);
        const bool all = target_.kind == Kind::latest && !path.pieces.empty();
        if (path.reached || all) return Route{set, std::move(path.pieces)};
        nearest_.offer(set, path);
        return std::nullopt;
    }

    std::string next_set() const {
        for (const Manifest* set : bases_)
            if (side_of(*set, target_) == Side::after)
                return "--set " + set->set + " without --until, of " + set->finished;
        return {};
    }

    [[noreturn]] void throw_unreachable() const {
        std::string hint;
        if (!nearest_.text.empty()) hint = "The farthest before it: " + nearest_.text + ". ";
        if (const auto next = next_set(); !next.empty()) hint += "The earliest after it: " + next + ". ";
        throw Error(
            ErrorKind::not_found,
            restore::text_of(target_) + " cannot be reached: " +
                (nearest_.ends.empty() ? "no set with a place in the binary log is older" : nearest_.ends),
            hint +
                "Nothing was restored. `strongroom logs list` shows what can be reached; --until latest "
                "takes "
                "all that there is.");
    }

    [[noreturn]] void throw_no_base() const {
        const bool any = !trusted_.empty();
        throw Error(ErrorKind::not_found,
                    any ? "no set of this server can have the binary log replayed on it"
                        : "this server has no backup set that can be trusted",
                    any ? "That needs a physical set of mariadb-backup that names its place in the binary "
                          "log. After a dump, or on MySQL: `strongroom logs extract`."
                        : "Check --store, and `strongroom verify`.");
    }

    [[noreturn]] void throw_no_base_named(const std::string& named, const Manifest* set) const {
        std::string why = "it is not in the store, or cannot be trusted";
        if (set != nullptr) {
            why = backupset::chain_problem(trusted_, named);
            if (set->stream != "xbstream" || set->source_tool != "mariadb-backup")
                why = "it is no physical set of mariadb-backup";
            else if (!has_place(*set))
                why = "it names no place in the binary log";
        }
        throw Error(set == nullptr ? ErrorKind::not_found : ErrorKind::usage,
                    "the binary log cannot be replayed on set " + named + ": " + why,
                    "Choose another --set, or none. After a dump, or on MySQL: `strongroom logs extract`.");
    }

    const TargetPoint& target_;
    const FindPath& find_path_;
    std::map<std::string, Manifest> trusted_;
    std::vector<const Manifest*> bases_;  // oldest first
    Nearest nearest_;
};

}  // namespace

Side side_of(const Manifest& set, const TargetPoint& target) {
    switch (target.kind) {
        case Kind::latest:
            return Side::before;
        case Kind::time:
            return parse_utc(set.finished) < target.time ? Side::before : Side::after;
        case Kind::gtid:
            return by_gtid(set, target.gtid);
        case Kind::position:
            break;
    }
    if (!has_place(set) || !restore::same_name(place_of(set).file, target.at.file)) return Side::unknown;
    const int order = restore::compare(place_of(set), target.at);
    return order < 0 ? Side::before : order == 0 ? Side::at : Side::after;
}

bool reaches(const backupset::LogPart& part, const TargetPoint& target) {
    switch (target.kind) {
        case Kind::latest:
            return false;
        case Kind::time:
            return parse_utc(part.covered) >= target.time;
        case Kind::gtid: {
            const auto state = binlog::parse_gtid_state(part.gtid);
            const auto at = state.find(target.gtid.domain);
            return at != state.end() && at->second.sequence >= target.gtid.sequence;
        }
        case Kind::position:
            break;
    }
    return restore::same_name(part.file, target.at.file) &&
           restore::compare({part.file, part.last}, target.at) >= 0;
}

Route choose_route(const std::vector<backupset::SetInfo>& sets, const TargetPoint& target,
                   const std::string& named, const FindPath& find_path) {
    Choice choice(sets, target, find_path);
    return named.empty() ? choice.from_newest() : choice.from_named(named);
}

}  // namespace strongroom::client
