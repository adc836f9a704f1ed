#include "common/restore/server_folder.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/error.hpp"

namespace strongroom::restore {

namespace fs = std::filesystem;

std::int64_t free_bytes(const fs::path& folder) {
    struct statvfs info {};
    if (::statvfs(folder.c_str(), &info) != 0)
        throw system_error(ErrorKind::storage, "cannot see how much space " + folder.string() + " has",
                           errno);
    return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

void require_reachable(const fs::path& folder, const ServerUser& user, const std::string& hint) {
    for (fs::path at = folder;; at = at.parent_path()) {
        struct stat info {};
        if (::lstat(at.c_str(), &info) != 0)
            throw system_error(ErrorKind::config, "cannot look at " + at.string(), errno);
        const bool may_enter = info.st_uid == user.uid   ? (info.st_mode & S_IXUSR) != 0
                               : info.st_gid == user.gid ? (info.st_mode & S_IXGRP) != 0
                                                         : (info.st_mode & S_IXOTH) != 0;
        if (!may_enter)
            throw Error(ErrorKind::config,
                        "the user mysql, as whom root runs the private server, cannot enter " + at.string(),
                        hint);
        if (at == at.parent_path()) return;
    }
}

void hand_over(const std::vector<fs::path>& folders) {
    const ServerUser user = server_user();
    if (!user.other) return;
    const auto give = [&](const fs::path& path) {
        if (::lchown(path.c_str(), user.uid, user.gid) != 0)
            throw system_error(ErrorKind::storage, "cannot give " + path.string() + " to mysql", errno);
    };
    for (const auto& folder : folders) {
        for (const auto& entry : fs::recursive_directory_iterator(folder)) give(entry.path());
        give(folder);
    }
}

}  // namespace strongroom::restore
