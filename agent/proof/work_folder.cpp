#include "agent/proof/work_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "common/base/error.hpp"
#include "common/restore/server_folder.hpp"
#include "common/term/text.hpp"

namespace strongroom::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t for_logs = 256LL << 20;  // of preparing and starting
constexpr std::int64_t almost_full = 16LL << 20;
constexpr const char* use_other = "Set proof-folder to a folder on a larger disk, or free space there.";

struct stat look_at(const fs::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0)
        throw system_error(ErrorKind::config, "proof-folder: cannot look at " + path.string(), errno);
    return info;
}

std::string prefix_of(const std::string& server) {
    return ".proof-" + server.substr(0, 8);
}

void remove_abandoned(const fs::path& folder, const std::string& server) {
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (!entry.path().filename().string().starts_with(prefix_of(server) + ".")) continue;
        restore::PrivateServer::end_abandoned(entry.path() / "run");
        std::error_code failure;
        fs::remove_all(entry.path(), failure);
        if (failure)
            throw Error(ErrorKind::storage, "cannot remove " + entry.path().string() +
                                                ", which a killed proof left: " + failure.message());
    }
}

// The folder that holds the work, made if it is the default one; nothing but it is looked at or changed.
fs::path parent_folder(const ProofConfig& config, const StateDir& state, const std::string& server) {
    const fs::path folder = config.folder.empty() ? state.path() / "proof" : fs::absolute(config.folder);
    const restore::ServerUser user = restore::server_user();
    if (!fs::exists(fs::symlink_status(folder))) {
        make_private_dir(folder);
        if (user.other) fs::permissions(folder, fs::perms(0711));
    }
    const auto info = look_at(folder);
    if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        throw Error(
            ErrorKind::insecure_file,
            "proof-folder " + folder.string() + " is no folder of this user that only it may write to",
            "chown it to the agent's user, and chmod 700.");
    if (user.other)
        restore::require_reachable(
            folder, user,
            "Set proof-folder to a folder whose parents it may enter, or run the agent as its own user.");
    remove_abandoned(folder, server);
    return folder;
}

fs::path with_space(const ProofConfig& config, const fs::path& folder, std::int64_t needed) {
    const auto in_words = "the proof needs " + term::format_bytes(needed) + " in " + folder.string();
    if (config.space_limit > 0 && needed > config.space_limit)
        throw Error(ErrorKind::storage,
                    in_words + ", and proof-space-limit allows " + term::format_bytes(config.space_limit),
                    "Raise proof-space-limit, if the host has the space.");
    const auto free = restore::free_bytes(folder);
    if (needed > free)
        throw Error(ErrorKind::storage,
                    "not enough space: " + in_words + ", and " + term::format_bytes(free) + " are free",
                    use_other);
    return folder;
}

}  // namespace

std::int64_t space_for(const std::vector<backupset::Manifest>& chain) {
    std::int64_t files = 0;
    for (const auto& one : chain)
        files += one.plain_total * (one.stream == "sql" ? 3 : one.stream == "tar" ? 4 : 1);
    return files + files / 10 + for_logs;
}

WorkFolder::WorkFolder(const ProofConfig& config, const StateDir& state, const std::string& server,
                       std::int64_t needed)
    : folder_(with_space(config, parent_folder(config, state, server), needed), prefix_of(server)) {
    if (restore::server_user().other) fs::permissions(folder_.path(), fs::perms(0711));
    for (const auto& part : {data(), run(), run() / "tmp"}) make_private_dir(part);
}

void WorkFolder::hand_over() const {
    restore::hand_over({data(), run()});
}

void WorkFolder::require_space_left() const {
    if (const auto free = restore::free_bytes(folder_.path()); free < almost_full)
        throw Error(ErrorKind::storage,
                    "not enough space: " + term::format_bytes(free) + " are left in " +
                        folder_.path().parent_path().string() + ", which says nothing about the set",
                    use_other);
}

void WorkFolder::remove() const {
    std::error_code failure;
    fs::remove_all(folder_.path(), failure);
    if (failure || fs::exists(folder_.path()))
        throw Error(ErrorKind::storage, "cannot remove " + folder_.path().string() +
                                            ", which holds decrypted data: " + failure.message());
}

}  // namespace strongroom::agent
