#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "client/restore/restore.hpp"
#include "client/restore/xbstream_guard.hpp"
#include "common/backupset/process_streams.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::client {
namespace {

namespace fs = std::filesystem;

struct Tools {
    std::string extract;
    std::string prepare;
    XbstreamGuard::Dialect dialect;
};

Tools tools_for(const backupset::Manifest& manifest) {
    if (manifest.source_tool == "xtrabackup")
        return {"xbstream", "xtrabackup", XbstreamGuard::Dialect::percona};
    return {"mbstream", "mariadb-backup", XbstreamGuard::Dialect::mariadb};
}

void require_tool(const std::string& program) {
    if (!find_program(program))
        throw Error(ErrorKind::tool_missing, "the program " + program + " is not installed",
                    program.starts_with("x") ? "Install Percona XtraBackup."
                                             : "Install Debian's package mariadb-backup.");
}

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

std::string last_lines(BytesView text) {
    while (text.ends_with('\n')) text.remove_suffix(1);
    std::size_t start = text.size();
    for (int lines = 0; lines < 3 && start != 0 && start != BytesView::npos; ++lines)
        start = text.rfind('\n', start == 0 ? 0 : start - 1);
    return printable(start == BytesView::npos ? text : text.substr(start));
}

void prepare(const RestoreFrom& from, const std::string& program, const fs::path& folder) {
    from.say("preparing: " + program + " applies the log to the data files");
    MemFile log("prepare-log");
    Subprocess child({.argv = {program, "--no-defaults", "--prepare", "--target-dir=" + folder.string()},
                      .fds = {{1, log.fd()}, {2, log.fd()}},
                      .environment = {},
                      .directory = {}});
    backupset::Progress progress;
    progress.stage = "preparing";
    std::optional<ExitStatus> status;
    while (!(status = child.wait_for(std::chrono::milliseconds(200))))
        if (from.on_progress) from.on_progress(progress);  // throws when the user wants to stop
    log.map_all();
    // The tool has ended with 0 after failures: only its own last word counts.
    if (!status->ok() || log.view().find("completed OK!") == BytesView::npos)
        throw Error(ErrorKind::storage,
                    program + " --prepare failed, " + status->describe() + ": " + last_lines(log.view()),
                    "Nothing was left under the target name. Without --prepare the raw files are restored.");
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
    if (manifest.stream != "xbstream")
        throw Error(ErrorKind::usage,
                    "set " + manifest.set + " holds a " + manifest.stream + " stream of " +
                        manifest.source_tool + ", no physical backup",
                    "Restore it with --pipe, for example --pipe mariadb, or with --stdout.");
    const Tools tools = tools_for(manifest);
    require_tool(tools.extract);
    if (options.prepare) require_tool(tools.prepare);

    const TempDir work(datadir.parent_path(), ".strongroom-restore");
    {
        from.say("restoring set " + manifest.set + " into a private folder beside " + datadir.string());
        backupset::ProcessTarget extract({.name = tools.extract,
                                          .spawn = {.argv = {tools.extract, "-x", "-C", work.path().string()},
                                                    .fds = {},
                                                    .environment = {},
                                                    .directory = {}},
                                          .kind = ErrorKind::storage});
        XbstreamGuard guard(extract, tools.dialect);
        backupset::open_set({from.workers}, manifest, from.store, from.home, guard, from.on_progress);
    }
    require_plain_tree(work.path());
    if (options.prepare) prepare(from, tools.prepare, work.path());
    sync_all(work.path());
    // Replaces an empty folder, and fails if something came into it meanwhile.
    if (::rename(work.path().c_str(), datadir.c_str()) != 0)
        throw system_error(ErrorKind::storage, "cannot give the restored folder its name " + datadir.string(),
                           errno);
    sync_dir(datadir.parent_path());
}

}  // namespace strongroom::client
