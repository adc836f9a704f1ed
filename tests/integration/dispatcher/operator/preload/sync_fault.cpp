// fsync and fdatasync that fail with EIO on the dispatcher's database while the file $SYNC_FAULT exists.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

bool fails(int fd) {
    const char* trigger = std::getenv("SYNC_FAULT");
    if (trigger == nullptr || ::access(trigger, F_OK) != 0) return false;
    char path[4096];
    const ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path - 1);
    if (size <= 0) return false;
    path[size] = '\0';
    return std::strstr(path, "dispatcher.sqlite") != nullptr;
}

int sync_with(long number, int fd) {
    if (fails(fd)) {
        errno = EIO;
        return -1;
    }
    return static_cast<int>(::syscall(number, fd));
}

}  // namespace

extern "C" int fsync(int fd) {
    return sync_with(SYS_fsync, fd);
}

extern "C" int fdatasync(int fd) {
    return sync_with(SYS_fdatasync, fd);
}
