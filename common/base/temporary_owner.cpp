#include "common/base/temporary_owner.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "common/base/unique_fd.hpp"

namespace strongroom {

bool hold_temporary(int fd) {
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
    struct stat info {};
    return ::fstat(fd, &info) == 0 && info.st_nlink > 0;
}

bool remove_patiently(const std::filesystem::path& path) noexcept {
    std::error_code failure;
    for (int attempt = 0; attempt < 20; ++attempt) {
        if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(25));
        std::filesystem::remove_all(path, failure);
        if (!failure && !std::filesystem::exists(path, failure)) return true;
    }
    return false;
}

bool remove_if_abandoned(const std::filesystem::path& path, const std::function<void()>& before) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return false;
    struct stat held {};
    struct stat named {};
    if (::fstat(fd.get(), &held) != 0 || ::lstat(path.c_str(), &named) != 0 || held.st_dev != named.st_dev ||
        held.st_ino != named.st_ino || held.st_uid != ::geteuid() ||
        (!S_ISREG(held.st_mode) && !S_ISDIR(held.st_mode)))
        return false;
    if (before) before();
    return remove_patiently(path);
}

}  // namespace strongroom
