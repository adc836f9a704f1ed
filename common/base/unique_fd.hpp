// An owned file descriptor. All descriptors in this project are close-on-exec; children get theirs by name.
#pragma once

#include <unistd.h>

#include <utility>

namespace strongroom {

class UniqueFd {
  public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    explicit operator bool() const { return fd_ >= 0; }
    void reset() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

  private:
    int fd_ = -1;
};

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};
Pipe make_pipe();  // both ends close-on-exec

// Writes all bytes, whatever the number of calls it takes. Throws Error{kind, "what: reason"}; EPIPE too.
// Reads until `size` bytes or end of stream and returns the number of bytes read.
// With `timeout_ms` >= 0 each wait for readiness is bounded and Error{timeout} is thrown.
class Error;
enum class ErrorKind;
void write_all(int fd, const char* data, std::size_t size, ErrorKind kind, const char* what);
std::size_t read_full(int fd, char* data, std::size_t size, ErrorKind kind, const char* what,
                      int timeout_ms = -1);

}  // namespace strongroom
