#include "common/base/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "common/base/error.hpp"

namespace strongroom {
namespace fs = std::filesystem;
namespace {

UniqueFd open_lock_file(const fs::path& path) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) throw system_error(ErrorKind::storage, "cannot open the lock file " + path.string(), errno);
    return fd;
}

// False if LOCK_NB was asked for and somebody else holds it.
bool lock_file(const UniqueFd& fd, int operation, const fs::path& path) {
    while (::flock(fd.get(), operation) != 0) {
        if (errno == EWOULDBLOCK) return false;
        if (errno != EINTR) throw system_error(ErrorKind::storage, "cannot lock " + path.string(), errno);
    }
    return true;
}

}  // namespace

std::optional<FileLock> FileLock::try_take(const fs::path& path) {
    UniqueFd fd = open_lock_file(path);
    if (!lock_file(fd, LOCK_EX | LOCK_NB, path)) return std::nullopt;
    return FileLock(std::move(fd));
}

FileLock FileLock::take(const fs::path& path) {
    UniqueFd fd = open_lock_file(path);
    lock_file(fd, LOCK_EX, path);
    return FileLock(std::move(fd));
}

bool FileLock::is_held(const fs::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno == ENOENT) return false;
    if (!fd) throw system_error(ErrorKind::storage, "cannot open the lock file " + path.string(), errno);
    return !lock_file(fd, LOCK_SH | LOCK_NB, path);
}

}  // namespace strongroom
