#include "common/base/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <string>

#include "common/base/error.hpp"

namespace strongroom {

Pipe make_pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) throw system_error(ErrorKind::internal, "cannot make a pipe", errno);
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

void write_all(int fd, const char* data, std::size_t size, ErrorKind kind, const char* what) {
    while (size > 0) {
        const ssize_t n = ::write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw system_error(kind, what, errno);
        if (n == 0) throw Error(kind, std::string(what) + ": wrote nothing");
        data += n;
        size -= static_cast<std::size_t>(n);
    }
}

std::size_t read_full(int fd, char* data, std::size_t size, ErrorKind kind, const char* what,
                      int timeout_ms) {
    std::size_t done = 0;
    while (done < size) {
        if (timeout_ms >= 0) {
            pollfd waiting{fd, POLLIN, 0};
            const int ready = ::poll(&waiting, 1, timeout_ms);
            if (ready < 0 && errno == EINTR) continue;
            if (ready < 0) throw system_error(kind, what, errno);
            if (ready == 0)
                throw Error(ErrorKind::timeout, std::string(what) + ": nothing arrived for " +
                                                    std::to_string(timeout_ms / 1000) + " s");
        }
        const ssize_t n = ::read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw system_error(kind, what, errno);
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

}  // namespace strongroom
