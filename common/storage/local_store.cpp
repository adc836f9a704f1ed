#include "common/storage/local_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom::storage {
namespace fs = std::filesystem;
namespace {

bool is_missing(int error) {
    return error == ENOENT || error == ENOTDIR;
}

// The entries of a folder that can be (or hold) objects; empty if the folder does not exist.
std::vector<fs::directory_entry> visible_entries(const fs::path& folder) {
    std::vector<fs::directory_entry> out;
    std::error_code failure;
    fs::directory_iterator entries(folder, failure);
    for (; !failure && entries != fs::directory_iterator(); entries.increment(failure))
        if (entries->path().filename().string().front() != '.') out.push_back(*entries);
    if (failure && !is_missing(failure.value()))
        throw system_error(ErrorKind::storage, "cannot list " + folder.string(), failure.value());
    return out;
}

bool is_folder(const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.symlink_status(ignored).type() == fs::file_type::directory;
}

bool is_object(const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.symlink_status(ignored).type() == fs::file_type::regular;
}

bool holds_object(const fs::path& folder) {
    for (const auto& entry : visible_entries(folder))
        if (is_object(entry) || (is_folder(entry) && holds_object(entry.path()))) return true;
    return false;
}

void collect(const fs::path& folder, const std::string& prefix, std::vector<ObjectInfo>& out) {
    for (const auto& entry : visible_entries(folder)) {
        const std::string key = prefix + entry.path().filename().string();
        if (is_folder(entry)) {
            collect(entry.path(), key + "/", out);
        } else if (is_object(entry)) {
            std::error_code failure;
            const auto size = entry.file_size(failure);
            if (!failure) out.push_back({key, static_cast<std::size_t>(size)});  // else removed meanwhile
        }
    }
}

// Below `folder`, and then `folder` and those above it, but not `root`. rmdir refuses what holds something.
void remove_empty_folders(fs::path folder, const fs::path& root) {
    std::error_code failure;
    std::vector<fs::path> below;
    fs::recursive_directory_iterator entries(folder, failure);
    for (; !failure && entries != fs::recursive_directory_iterator(); entries.increment(failure))
        if (is_folder(*entries)) below.push_back(entries->path());
    for (auto deepest = below.rbegin(); deepest != below.rend(); ++deepest) ::rmdir(deepest->c_str());
    while (folder != root && ::rmdir(folder.c_str()) == 0) folder = folder.parent_path();
}

}  // namespace

LocalStore::LocalStore(fs::path root, bool create) : root_(std::move(root)) {
    struct stat info {};
    if (::stat(root_.c_str(), &info) == 0) {
        if (!S_ISDIR(info.st_mode))
            throw Error(ErrorKind::storage, "the store " + root_.string() + " is not a folder");
        return;
    }
    if (!is_missing(errno)) throw system_error(ErrorKind::storage, "cannot open " + root_.string(), errno);
    if (!create)
        throw Error(ErrorKind::not_found, "the store folder " + root_.string() + " does not exist",
                    "Check the path, and whether its disk is mounted.");
    make_private_dir(root_);
    sync_dir(root_.parent_path());
}

fs::path LocalStore::path_of(const std::string& key) const {
    require_valid_key(key);
    return root_ / key;
}

fs::path LocalStore::folder_of(const std::string& prefix) const {
    require_valid_prefix(prefix);
    return prefix.empty() ? root_ : path_of(prefix.substr(0, prefix.size() - 1));
}

void LocalStore::make_folders(const fs::path& folder) const {
    if (folder == root_ || ::access(folder.c_str(), F_OK) == 0) return;
    make_folders(folder.parent_path());
    if (::mkdir(folder.c_str(), 0700) == 0) {
        sync_dir(folder.parent_path());
    } else if (errno != EEXIST && errno != ENOENT) {  // ENOENT: put() tries again
        throw system_error(ErrorKind::storage, "cannot make the folder " + folder.string(), errno);
    }
}

void LocalStore::put(const std::string& key, BytesView bytes) {
    const fs::path path = path_of(key);
    const std::shared_lock folders_stay(folders_mutex_);
    // A remove() in another process may take an empty folder away between our two steps.
    for (int attempt = 1;; ++attempt) {
        try {
            make_folders(path.parent_path());
            return write_file_atomic(path, bytes);
        } catch (const Error& error) {
            const bool folder_went = ::access(path.parent_path().c_str(), F_OK) != 0;
            if (folder_went && attempt < 5 && ::access(root_.c_str(), F_OK) == 0) continue;
            throw Error(
                ErrorKind::storage, "object " + key + ": " + error.text(),
                "Check the room on the disk of " + root_.string() + " and that this user may write there.")
                .with_system_code(error.system_code());
        }
    }
}

MemFile LocalStore::get(const std::string& key, std::size_t max) {
    MemFile out("object");
    get_into(key, max, out);
    return out;
}

void LocalStore::get_into(const std::string& key, std::size_t max, MemFile& into) {
    const fs::path path = path_of(key);
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    if (!fd && is_missing(errno)) throw Error(ErrorKind::not_found, "no object " + key + " in " + label());
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0)
        throw system_error(ErrorKind::storage, "cannot open object " + key, errno);
    if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::storage, "object " + key + " is not a regular file");
    const auto size = static_cast<std::size_t>(info.st_size);
    if (size > max)
        throw Error(ErrorKind::corrupt, "object " + key + " has " + std::to_string(size) +
                                            " bytes, which is more than the expected " + std::to_string(max));
    into.resize(size);
    const std::string what = "cannot read object " + key;
    if (read_full(fd.get(), into.data(), size, ErrorKind::storage, what.c_str()) != size)
        throw Error(ErrorKind::storage, what + ": it shrank while it was read");
}

std::optional<ObjectInfo> LocalStore::stat(const std::string& key) {
    struct stat info {};
    if (::lstat(path_of(key).c_str(), &info) != 0) {
        if (is_missing(errno)) return std::nullopt;
        throw system_error(ErrorKind::storage, "cannot stat object " + key, errno);
    }
    if (!S_ISREG(info.st_mode)) return std::nullopt;
    return ObjectInfo{key, static_cast<std::size_t>(info.st_size)};
}

std::vector<ObjectInfo> LocalStore::list(const std::string& prefix) {
    std::vector<ObjectInfo> out;
    collect(folder_of(prefix), prefix, out);
    std::ranges::sort(out, {}, &ObjectInfo::key);
    return out;
}

std::vector<std::string> LocalStore::list_folders(const std::string& prefix) {
    std::vector<std::string> out;
    for (const auto& entry : visible_entries(folder_of(prefix)))
        if (is_folder(entry) && holds_object(entry.path())) out.push_back(entry.path().filename().string());
    std::ranges::sort(out);
    return out;
}

void LocalStore::remove(const std::string& key) {
    const fs::path path = path_of(key);
    if (::unlink(path.c_str()) != 0) {
        if (is_missing(errno)) return;
        throw system_error(ErrorKind::storage, "cannot remove object " + key, errno);
    }
    fs::path folder = path.parent_path();
    const std::unique_lock folders_may_go(folders_mutex_);
    if (::access(folder.c_str(), F_OK) == 0) sync_dir(folder);
    // Folders exist for their objects only; rmdir refuses those that still hold something.
    while (folder != root_ && ::rmdir(folder.c_str()) == 0) folder = folder.parent_path();
}

std::size_t LocalStore::remove_unfinished(const std::string& prefix) {
    const fs::path folder = folder_of(prefix);
    const std::unique_lock folders_may_go(folders_mutex_);
    const std::size_t out = remove_abandoned_temporaries(folder);
    remove_empty_folders(folder, root_);
    return out;
}

}  // namespace strongroom::storage
