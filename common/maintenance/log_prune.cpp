#include "common/maintenance/log_prune.hpp"

#include <algorithm>

#include "common/backupset/layout.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/base/error.hpp"

namespace strongroom::maintenance {
namespace {

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

}  // namespace

LogPrunePlan plan_log_prune(const TrustedServer& server, const std::vector<PruneStep>& sets,
                            std::chrono::seconds within, UtcTime now) {
    LogPrunePlan out;
    auto logs = backupset::log_folders(server.store, server.id);
    std::erase_if(logs, [&](const std::string& log) {
        const auto begun = backupset::begun_at(log);
        const bool unfinished = begun && *begun < now - unfinished_after &&
                                !backupset::is_committed(server.store, server.id, log);
        if (unfinished) out.gone.push_back(log);
        return unfinished;
    });
    out.kept = logs.size();
    const auto base = oldest_base(sets, within, now);
    if (!base) return out;
    auto first_kept = std::ranges::lower_bound(logs, format_compact(*base));
    while (first_kept != logs.begin())
        if (begins_file_before(server, *--first_kept, *base)) {
            // Ids sort by time, but within one second in any order.
            const auto second = first_kept->substr(0, first_kept->find('-'));
            first_kept = std::ranges::lower_bound(logs, second);
            out.gone.insert(out.gone.end(), logs.begin(), first_kept);
            out.kept = static_cast<std::size_t>(logs.end() - first_kept);
            break;
        }
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
