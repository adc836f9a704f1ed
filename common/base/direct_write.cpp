#include "common/base/direct_write.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "common/base/error.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom {
namespace {

constexpr std::size_t block = 4096;
constexpr std::size_t worth_it = 1U << 20U;  // below, the disk's answer is not worth waiting for

// O_DIRECT on a descriptor while it lives, if the file system has that.
class DirectMode {
  public:
    explicit DirectMode(int fd) : fd_(fd), flags_(::fcntl(fd, F_GETFL)) {
        on_ = flags_ >= 0 && ::fcntl(fd_, F_SETFL, flags_ | O_DIRECT) == 0;
    }
    ~DirectMode() {
        if (on_) (void)::fcntl(fd_, F_SETFL, flags_);
    }
    DirectMode(const DirectMode&) = delete;
    bool on() const { return on_; }

  private:
    int fd_;
    int flags_;
    bool on_;
};

// Writes whole blocks directly as far as that goes; returns the number of bytes.
std::size_t write_directly(int fd, BytesView blocks, const char* what) {
    const DirectMode mode(fd);
    std::size_t done = 0;
    while (mode.on() && done < blocks.size() && done % block == 0) {
        const ssize_t sent = ::write(fd, blocks.data() + done, blocks.size() - done);
        if (sent > 0) {
            done += static_cast<std::size_t>(sent);
        } else if (sent < 0 && errno == EINVAL) {
            break;  // this file system wants another alignment, or none of this
        } else if (sent == 0 || errno != EINTR) {
            throw system_error(ErrorKind::storage, what, sent == 0 ? ENOSPC : errno);
        }
    }
    return done;
}

}  // namespace

void write_past_cache(int fd, BytesView bytes, const char* what) {
    if (bytes.size() >= worth_it && reinterpret_cast<std::uintptr_t>(bytes.data()) % block == 0)
        bytes.remove_prefix(write_directly(fd, bytes.substr(0, bytes.size() / block * block), what));
    write_all(fd, bytes.data(), bytes.size(), ErrorKind::storage, what);
}

}  // namespace strongroom
