#include "common/backupset/file_streams.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/backupset/sigpipe_guard.hpp"
#include "common/base/error.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom::backupset {

FdTarget::FdTarget(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

void FdTarget::write(const char* data, std::size_t size) {
    const SigpipeGuard guard;
    write_all(fd_, data, size, ErrorKind::storage, ("cannot write to " + name_).c_str());
}

void FdTarget::commit() {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) throw system_error(ErrorKind::storage, "cannot stat " + name_, errno);
    if (S_ISREG(info.st_mode) && ::fsync(fd_) != 0)
        throw system_error(ErrorKind::storage, "cannot make " + name_ + " durable", errno);
}

}  // namespace strongroom::backupset
