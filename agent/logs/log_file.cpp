#include "agent/logs/log_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"

namespace strongroom::agent {
namespace {

std::size_t read_at(const LogFile& file, char* data, std::size_t size, std::int64_t offset) {
    for (;;) {
        const auto got = ::pread(file.fd(), data, size, offset);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR)
            throw system_error(ErrorKind::storage, "cannot read " + file.path().string(), errno);
    }
}

}  // namespace

LogFile::LogFile(std::filesystem::path path) : path_(std::move(path)) {}

bool LogFile::advance() {
    if (!fd_) {
        fd_ = UniqueFd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!fd_ && errno == ENOENT) return false;
        if (!fd_) throw system_error(ErrorKind::storage, "cannot open " + path_.string(), errno);
    }
    std::array<char, 1U << 16U> buffer{};
    bool any = false;
    for (;;) {
        const auto got = read_at(*this, buffer.data(), buffer.size(), scanner_.read());
        if (got == 0) return any;
        any = true;
        scanner_.add({buffer.data(), got});
    }
}

std::string LogFile::tail(std::int64_t offset) const {
    constexpr std::int64_t most = 64 << 10;
    Bytes bytes(static_cast<std::size_t>(std::min(offset, most)), '\0');
    const std::int64_t begin = offset - static_cast<std::int64_t>(bytes.size());
    for (std::size_t have = 0; have < bytes.size();) {
        const auto got =
            read_at(*this, bytes.data() + have, bytes.size() - have, begin + static_cast<std::int64_t>(have));
        if (got == 0) throw Error(ErrorKind::storage, path_.string() + " became shorter");
        have += got;
    }
    return sha256_hex(bytes);
}

LogFileSource::LogFileSource(const LogFile& file, std::int64_t first, std::int64_t last,
                             std::string server_version)
    : file_(file), at_(first), last_(last), server_version_(std::move(server_version)) {}

std::size_t LogFileSource::read(char* data, std::size_t size) {
    size = static_cast<std::size_t>(std::min<std::int64_t>(static_cast<std::int64_t>(size), last_ - at_));
    std::size_t have = 0;
    while (have < size) {
        const auto got = read_at(file_, data + have, size - have, at_);
        if (got == 0) throw Error(ErrorKind::source, file_.path().string() + " became shorter");
        have += got;
        at_ += static_cast<std::int64_t>(got);
    }
    return have;
}

backupset::Source::Facts LogFileSource::finish() {
    if (at_ != last_) throw Error(ErrorKind::source, "not all of " + file_.name() + " was read");
    return {server_version_, {}};
}

}  // namespace strongroom::agent
