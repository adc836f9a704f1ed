#include "client/restore/restore.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::client {

namespace {

// One manifest is read where all is well; only if it cannot be trusted, all of them, to name the next best.
backupset::Manifest newest_manifest(const RestoreFrom& from) {
    const std::string& server = from.recovered.server;
    const auto newest = backupset::newest_committed(from.store, server);
    if (!newest)
        throw Error(ErrorKind::not_found, "server " + server + " has no backup set in " + from.store.label(),
                    "Check --store; `strongroom job list` shows whether backups ran.");
    try {
        return backupset::read_manifest(from.store, server, *newest, from.accepted());
    } catch (const Error& error) {
        if (!backupset::is_about_the_data(error.kind())) throw;
        std::string older;
        for (const auto& one : backupset::list_sets(from.store, server, from.accepted()))
            if (one.manifest) older = one.set;
        throw Error(ErrorKind::corrupt, "the newest " + error.text(),
                    older.empty()
                        ? "No other set of this server can be trusted either."
                        : "Find out who changed the store. The newest set that can be trusted is --set " +
                              older + ".");
    }
}

}  // namespace

backupset::Manifest choose_set(const RestoreFrom& from, const std::string& set) {
    const std::string& server = from.recovered.server;
    if (set != "latest" && !is_set_id(set))
        throw Error(ErrorKind::usage, "\"" + set + "\" is no set id",
                    "Set ids look like 20261122T013700Z-3f9a2c1b; see `strongroom backup list`.");
    return set == "latest" ? newest_manifest(from)
                           : backupset::read_manifest(from.store, server, set, from.accepted());
}

}  // namespace strongroom::client
