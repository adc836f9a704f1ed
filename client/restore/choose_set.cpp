#include "client/restore/restore.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::client {

backupset::Manifest choose_set(const RestoreFrom& from, const std::string& set) {
    const auto& [server, identity, subkeys, problems] = from.recovered;
    std::string chosen = set;
    if (set == "latest") {
        const auto sets = backupset::list_sets(from.store, server, from.home, identity);
        if (sets.empty())
            throw Error(ErrorKind::not_found,
                        "server " + server + " has no backup set in " + from.store.label(),
                        "Check --store; `strongroom job list` shows whether backups ran.");
        if (!sets.back().manifest) {
            std::string older;
            for (const auto& one : sets)
                if (one.manifest) older = one.set;
            throw Error(ErrorKind::corrupt,
                        "the newest set " + sets.back().set + " cannot be trusted: " + sets.back().problem,
                        older.empty()
                            ? "No other set of this server can be trusted either."
                            : "Find out who changed the store. The newest set that can be trusted is --set " +
                                  older + ".");
        }
        chosen = sets.back().set;
    } else if (!is_set_id(set)) {
        throw Error(ErrorKind::usage, "\"" + set + "\" is no set id",
                    "Set ids look like 20261122T013700Z-3f9a2c1b; see `strongroom backup list`.");
    }
    auto manifest = backupset::read_manifest(from.store, server, chosen, from.home, identity);
    if (manifest.kind != "full")
        throw Error(ErrorKind::refused,
                    "set " + chosen + " is " + manifest.kind + ": it cannot be restored alone",
                    "Choose a full set with --set; see `strongroom backup list`.");
    return manifest;
}

}  // namespace strongroom::client
