#include "common/restore/chain.hpp"

#include "common/base/error.hpp"
#include "common/restore/checkpoints.hpp"
#include "common/restore/held_folder.hpp"
#include "common/restore/preparation.hpp"

namespace strongroom::restore {
namespace {

// Progress over all sets of the chain, not over each.
backupset::OnProgress whole(const ExtractFrom& from, std::int64_t done, std::int64_t total) {
    if (!from.on_progress) return {};
    return [&from, done, total](backupset::Progress now) {
        now.plain_bytes += done;
        now.total_bytes = total;
        from.on_progress(now);
    };
}

// The damage is in `chain[at]`; all before it was applied.
Error with_newest_good(const Error& error, const std::vector<backupset::Manifest>& chain, std::size_t at) {
    if (at == 0)
        return Error(
            error.kind(), error.text(),
            "Every set of this chain needs that full set. Choose a set of another chain with --set, or "
            "copy the object from another copy of the store.");
    const auto& good = chain[at - 1];
    return Error(error.kind(), "increment " + chain[at].set + ": " + error.text(),
                 "The newest point of this chain that still works is --set " + good.set + ", of " +
                     good.created + ": it was applied just now without error.");
}

}  // namespace

void restore_chain(const ExtractFrom& from, const std::vector<backupset::Manifest>& chain,
                   const std::filesystem::path& folder, const std::filesystem::path& scratch,
                   const ChainSteps& steps) {
    const PhysicalTools tools = tools_for(chain.front());
    require_tool(tools.prepare);
    std::int64_t total = 0;
    for (const auto& manifest : chain) total += manifest.plain_total;
    std::int64_t done = 0;
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const auto& manifest = chain[i];
        const bool more_follow = i + 1 < chain.size();
        try {
            const ExtractFrom part{from.store, from.home, from.workers, whole(from, done, total),
                                   from.verifier};
            if (i == 0) {
                steps.say("extracting set " + manifest.set);
                extract_physical(part, manifest, folder);
                if (chain.size() > 1) require_checkpoints(folder, manifest);
                steps.say("preparing: " + tools.prepare + " applies the log to the data files");
                prepare(tools, {folder, {}, more_follow}, steps.idle);
            } else {
                steps.say("extracting increment " + std::to_string(i) + " of " +
                          std::to_string(chain.size() - 1) + ", set " + manifest.set);
                const HeldFolder increment(scratch, "increment");
                extract_physical(part, manifest, increment.path());
                require_checkpoints(increment.path(), manifest);
                steps.say("applying it");
                prepare(tools, {folder, increment.path(), more_follow}, steps.idle);
            }
        } catch (const Error& error) {
            // The last one: a verifying host has no envelope of a set, which says nothing about the chain.
            if (chain.size() == 1 || error.kind() == ErrorKind::interrupted ||
                error.kind() == ErrorKind::config)
                throw;
            throw with_newest_good(error, chain, i);
        }
        done += manifest.plain_total;
    }
}

}  // namespace strongroom::restore
