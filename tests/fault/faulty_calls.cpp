#include "tests/fault/faulty_calls.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <sstream>

namespace strongroom::test {
namespace {

struct State {
    std::mutex mutex;
    std::string text;  // the rule as it was given
    std::string call;
    int error = 0;
    long number = 0;
    std::string path;
    long seen = 0;
    int failed = 0;
};

State& state() {
    static State out;
    return out;
}

// Hold the mutex.
void set_rule(State& now, const std::string& text) {
    if (text == now.text) return;
    now.text = text;
    now.call.clear();
    now.seen = 0;
    now.failed = 0;
    std::istringstream words(text);
    words >> now.call >> now.error >> now.number >> now.path;
}

void read_rule_file(State& now) {
    static const char* const file = std::getenv("FAULTY_CALLS");
    if (file == nullptr) return;
    std::array<char, 512> buffer{};
    const long fd = ::syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
    long size = 0;
    if (fd >= 0) {
        size = std::max(0L, ::syscall(SYS_read, fd, buffer.data(), buffer.size()));
        ::syscall(SYS_close, fd);
    }
    set_rule(now, std::string(buffer.data(), static_cast<std::size_t>(size)));
}

std::string path_of(int fd) {
    std::array<char, 4096> buffer{};
    const auto size =
        ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), buffer.data(), buffer.size());
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

// The rule's errno if this call is to fail, else 0.
template <class Path>
int fault(const char* call, Path path) {
    State& now = state();
    const std::lock_guard lock(now.mutex);
    read_rule_file(now);
    if (now.call != call || (now.path != "-" && path().find(now.path) == std::string::npos)) return 0;
    if (++now.seen < now.number) return 0;
    ++now.failed;
    if (now.error < 0) {
        ::kill(::getpid(), -now.error);
        return 0;
    }
    return now.error == 0 ? ENOMEM : now.error;
}

// How many of `size` bytes may be written; -1 and errno if none.
long allowed(int fd, std::size_t size) {
    State& now = state();
    const std::lock_guard lock(now.mutex);
    read_rule_file(now);
    if (now.call != "write" || path_of(fd).find(now.path) == std::string::npos)
        return static_cast<long>(size);
    const long room = std::max(0L, now.number - now.seen);
    const long taken = std::min(room, static_cast<long>(size));
    now.seen += taken;
    if (taken > 0) return taken;
    ++now.failed;
    if (now.error < 0) {
        ::kill(::getpid(), -now.error);
        return static_cast<long>(size);
    }
    errno = now.error;
    return -1;
}

}  // namespace

FaultyCalls::FaultyCalls(const std::string& rule) {
    const std::lock_guard lock(state().mutex);
    set_rule(state(), rule);
}
FaultyCalls::~FaultyCalls() {
    const std::lock_guard lock(state().mutex);
    set_rule(state(), "");
}
int FaultyCalls::failed() {
    const std::lock_guard lock(state().mutex);
    return state().failed;
}
long FaultyCalls::seen() {
    const std::lock_guard lock(state().mutex);
    return state().seen;
}

}  // namespace strongroom::test

using strongroom::test::allowed;
using strongroom::test::fault;
using strongroom::test::path_of;

extern "C" {

int fsync(int fd) {
    if (const int error = fault("fsync", [&] { return path_of(fd); })) {
        errno = error;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
    if (const int error = fault("fsync", [&] { return path_of(fd); })) {
        errno = error;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

ssize_t write(int fd, const void* data, size_t size) {
    const long take = size == 0 ? 0 : allowed(fd, size);
    return take < 0 ? -1 : ::syscall(SYS_write, fd, data, take);
}

int rename(const char* from, const char* to) noexcept {
    if (const int error = fault("rename", [&] { return std::string(to); })) {
        errno = error;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

size_t ZSTD_compress2(ZSTD_CCtx* context, void* out, size_t room, const void* in, size_t size) {
    if (fault("compress", [] { return std::string(); }) != 0)
        return static_cast<size_t>(-static_cast<long>(ZSTD_error_memory_allocation));
    using Compress = size_t (*)(ZSTD_CCtx*, void*, size_t, const void*, size_t);
    static const auto real = reinterpret_cast<Compress>(::dlsym(RTLD_NEXT, "ZSTD_compress2"));
    return real(context, out, room, in, size);
}

}  // extern "C"
