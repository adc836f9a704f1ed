#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "client/restore/restore.hpp"
#include "common/backupset/chain.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/unique_fd.hpp"
#include "common/restore/chain.hpp"
#include "common/restore/physical_tools.hpp"

namespace strongroom::client {
namespace {

namespace fs = std::filesystem;

void require_free(const fs::path& datadir) {
    const auto status = fs::symlink_status(datadir);
    if (!fs::exists(status)) {
        if (!fs::is_directory(datadir.parent_path()))
            throw Error(ErrorKind::not_found, "there is no folder " + datadir.parent_path().string(),
                        "Make it first, or choose another --datadir.");
        return;
    }
    if (!fs::is_directory(status) || !fs::is_empty(datadir))
        throw Error(ErrorKind::exists, datadir.string() + " exists and is not an empty folder",
                    "Nothing was changed. Choose a new folder, or move the old data away yourself.");
}

// Everything below `folder` reaches the disk before the folder gets its name.
void sync_all(const fs::path& folder) {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::syncfs(fd.get()) != 0)
        throw system_error(ErrorKind::storage, "cannot make " + folder.string() + " durable", errno);
}

}  // namespace

void restore_datadir(const RestoreFrom& from, const backupset::Manifest& manifest,
                     const DatadirOptions& options) {
    const fs::path& given = options.datadir;
    const fs::path datadir =
        fs::absolute(given.has_filename() ? given : given.parent_path()).lexically_normal();
    require_free(datadir);
    const auto tools = restore::tools_for(manifest);
    restore::require_tool(tools.extract);
    const auto chain = backupset::read_chain(from.store, manifest, from.accepted());
    const bool prepare = options.prepare || chain.size() > 1;
    if (prepare) restore::require_tool(tools.prepare);

    const TempDir work(datadir.parent_path(), ".strongroom-restore");
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
    sync_all(work.path());
    // Replaces an empty folder, and fails if something came into it meanwhile.
    if (::rename(work.path().c_str(), datadir.c_str()) != 0)
        throw system_error(ErrorKind::storage, "cannot give the restored folder its name " + datadir.string(),
                           errno);
    sync_dir(datadir.parent_path());
}

}  // namespace strongroom::client
