#include "common/restore/extraction.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "common/backupset/opener.hpp"
#include "common/backupset/process_streams.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/restore/physical_tools.hpp"

namespace strongroom::restore {
namespace {

namespace fs = std::filesystem;

// S12: whatever the tool made, only plain files and folders may be given to a server.
void require_plain_tree(const fs::path& root) {
    bool checkpoints = false;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        const auto shown = printable_line(entry.path().lexically_relative(root).string());
        struct stat info {};
        if (::lstat(entry.path().c_str(), &info) != 0)
            throw system_error(ErrorKind::storage, "cannot look at " + shown, errno);
        const bool file = S_ISREG(info.st_mode);
        if (!file && !S_ISDIR(info.st_mode))
            throw Error(ErrorKind::refused,
                        "the backup holds " + shown + ", which is a link or no plain file");
        if (file && info.st_nlink != 1)
            throw Error(ErrorKind::refused, "the backup holds " + shown + ", which is a hard link");
        checkpoints =
            checkpoints || shown == "xtrabackup_checkpoints" || shown == "mariadb_backup_checkpoints";
    }
    if (!checkpoints)
        throw Error(ErrorKind::corrupt,
                    "what was extracted is no physical backup: it has no checkpoints file",
                    "The set may hold something else; look at it with --stdout.");
}

}  // namespace

void extract_physical(const ExtractFrom& from, const backupset::Manifest& manifest, const fs::path& folder) {
    const PhysicalTools tools = tools_for(manifest);
    require_tool(tools.extract);
    {
        backupset::ProcessTarget extract({.name = tools.extract,
                                          .spawn = {.argv = {tools.extract, "-x", "-C", folder.string()},
                                                    .fds = {},
                                                    .environment = {},
                                                    .directory = {}},
                                          .kind = ErrorKind::storage});
        XbstreamGuard guard(extract, tools.dialect);
        backupset::open_set(from.opening(), manifest, from.store, from.home, guard, from.on_progress);
    }
    require_plain_tree(folder);
}

}  // namespace strongroom::restore
