#include "client/restore/new_folder.hpp"
#include "client/restore/restore.hpp"
#include "common/backupset/chain.hpp"
#include "common/restore/chain.hpp"
#include "common/restore/held_folder.hpp"
#include "common/restore/physical_tools.hpp"

namespace strongroom::client {

namespace fs = std::filesystem;

void restore_datadir(const RestoreFrom& from, const backupset::Manifest& manifest,
                     const DatadirOptions& options) {
    const fs::path datadir = free_folder(options.datadir);
    const auto tools = restore::tools_for(manifest);
    restore::require_tool(tools.extract);
    const auto chain = backupset::read_chain(from.store, manifest, from.accepted());
    const bool prepare = options.prepare || chain.size() > 1;
    if (prepare) restore::require_tool(tools.prepare);

    remove_left(from, datadir.parent_path());
    const restore::HeldFolder work(datadir.parent_path(), "restore");
    from.say("restoring set " + manifest.set + " into a private folder beside " + datadir.string());
    const restore::ExtractFrom source{from.store, from.home, from.workers, from.on_progress};
    if (prepare) {
        backupset::Progress preparing;
        preparing.stage = "preparing";
        restore::restore_chain(source, chain, work.path(), datadir.parent_path(),
                               {.say = from.say, .idle = [&] {
                                    if (from.on_progress) from.on_progress(preparing);
                                }});
    } else {
        restore::extract_physical(source, manifest, work.path());
    }
    give_name(work.path(), datadir);
}

}  // namespace strongroom::client
