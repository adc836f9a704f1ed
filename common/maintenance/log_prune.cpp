#include "common/maintenance/log_prune.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "common/backupset/layout.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/base/error.hpp"
#include "common/base/shared_work.hpp"

namespace strongroom::maintenance {
namespace {

constexpr std::size_t at_once = 8;  // a store over a network is mostly waiting

// When the set was begun that the oldest of the logs must reach back to.
std::optional<UtcTime> oldest_base(const std::vector<PruneStep>& sets, std::chrono::seconds within,
                                   UtcTime now) {
    std::vector<UtcTime> begun;
    for (const auto& step : sets)
        if (const auto time = backupset::begun_at(step.set); time && step.action != PruneAction::remove)
            begun.push_back(*time);
    if (begun.empty()) return std::nullopt;
    std::ranges::sort(begun);
    if (within.count() == 0) return begun.front();
    const auto later = std::ranges::upper_bound(begun, now - within);
    return later == begun.begin() ? begun.front() : *std::prev(later);
}

// Those of `logs` that were begun before `before` and never committed. One listing says it of almost all;
// what it does not show as committed is asked for again, since that will be removed.
std::vector<std::string> unfinished_logs(const TrustedServer& server, const std::vector<std::string>& logs,
                                         UtcTime before) {
    std::map<std::string, std::string> lacking;  // by the key that commits it
    for (const auto& log : logs)
        if (const auto begun = backupset::begun_at(log); begun && *begun < before)
            lacking.emplace(backupset::manifest_signature_key(server.id, log), log);
    if (lacking.empty()) return {};
    for (const auto& object : server.store.list(backupset::logs_prefix(server.id))) lacking.erase(object.key);
    std::vector<std::string> out;
    for (const auto& [key, log] : lacking)
        if (!backupset::is_committed(server.store, server.id, log)) out.push_back(log);
    return out;
}

// Whether the file of this piece began before `base` was begun, with this piece. One that cannot be trusted
// says nothing.
bool begins_file_before(const TrustedServer& server, const std::string& log, UtcTime base) {
    try {
        const auto manifest = backupset::read_manifest(server.store, server.id, log, server.signers);
        return manifest.log->first == 0 && parse_utc(manifest.finished) < base;
    } catch (const Error& error) {
        if (!backupset::is_about_the_data(error.kind())) throw;
        return false;
    }
}

// The newest of the pieces before `end` with which a file begins, before `base`; end if there is none.
std::size_t newest_file_start(const TrustedServer& server, const std::vector<std::string>& logs,
                              std::size_t end, UtcTime base) {
    for (std::size_t last = end; last > 0;) {
        const std::size_t from = last - std::min(last, at_once);
        std::array<bool, at_once> begins{};
        SharedWork work(last - from);
        work.run(at_once, [&] {
            while (const auto i = work.next()) begins[*i] = begins_file_before(server, logs[from + *i], base);
        });
        for (; last > from; --last)
            if (begins[last - 1 - from]) return last - 1;
    }
    return end;
}

}  // namespace

LogPrunePlan plan_log_prune(const TrustedServer& server, const std::vector<PruneStep>& sets,
                            std::chrono::seconds within, UtcTime now) {
    LogPrunePlan out;
    auto logs = backupset::log_folders(server.store, server.id);
    out.gone = unfinished_logs(server, logs, now - unfinished_after);
    std::erase_if(logs, [&](const auto& log) { return std::ranges::binary_search(out.gone, log); });
    out.kept = logs.size();
    const auto base = oldest_base(sets, within, now);
    if (!base) return out;
    const auto before_base =
        static_cast<std::size_t>(std::ranges::lower_bound(logs, format_compact(*base)) - logs.begin());
    const std::size_t start = newest_file_start(server, logs, before_base, *base);
    if (start == before_base) return out;
    // Ids sort by time, but within one second in any order.
    const auto second = logs[start].substr(0, logs[start].find('-'));
    const auto first_kept = std::ranges::lower_bound(logs, second);
    out.gone.insert(out.gone.end(), logs.begin(), first_kept);
    out.kept = static_cast<std::size_t>(logs.end() - first_kept);
    std::ranges::sort(out.gone);
    return out;
}

void apply_log_prune(const TrustedServer& server, const LogPrunePlan& plan,
                     const std::function<void()>& before_each) {
    for (const auto& log : plan.gone) {
        before_each();
        remove_set(server.store, server.id, log);
    }
}

std::string text_of(const LogPrunePlan& plan) {
    if (plan.gone.empty() && plan.kept == 0) return "";
    return std::to_string(plan.gone.size()) + " pieces of the binary log go, " + std::to_string(plan.kept) +
           " stay";
}

Json json_of(const LogPrunePlan& plan) {
    return {{"remove", plan.gone.size()}, {"keep", plan.kept}};
}

}  // namespace strongroom::maintenance
