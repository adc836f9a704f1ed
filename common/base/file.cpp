#include "common/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <tuple>
#include <utility>

#include "common/base/direct_write.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/temporary_owner.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom {
namespace fs = std::filesystem;

Bytes read_file(const fs::path& path, std::size_t max) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) {
        const ErrorKind kind =
            errno == ENOENT || errno == ENOTDIR ? ErrorKind::not_found : ErrorKind::storage;
        throw system_error(kind, "cannot open " + path.string(), errno);
    }
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0)
        throw system_error(ErrorKind::storage, "cannot stat " + path.string(), errno);
    if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::storage, path.string() + " is not a regular file");
    const auto size = static_cast<std::size_t>(info.st_size);
    const auto too_long = [&] {
        return Error(ErrorKind::protocol,
                     path.string() + " is longer than the limit of " + std::to_string(max) + " bytes");
    };
    if (size > max) throw too_long();
    Bytes out(size + 1, '\0');
    const std::size_t got = read_full(fd.get(), out.data(), out.size(), ErrorKind::storage,
                                      ("cannot read " + path.string()).c_str());
    if (got > size) throw Error(ErrorKind::storage, path.string() + " grew while it was read");
    out.resize(got);
    return out;
}

void sync_dir(const fs::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0)
        throw system_error(ErrorKind::storage, "cannot sync the folder " + path.string(), errno);
}

namespace {

constexpr std::size_t temporary_mark = 6;  // random bytes in a temporary file's name

fs::path temporary_name(const fs::path& path) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    return folder / ("." + path.filename().string() + "." + to_hex(random_bytes(temporary_mark)) + ".tmp");
}

bool is_temporary_name(std::string_view name) {
    constexpr std::string_view end = ".tmp";
    constexpr std::size_t digits = 2 * temporary_mark;
    if (name.size() < 3 + digits + end.size() || name.front() != '.' || !name.ends_with(end)) return false;
    name.remove_suffix(end.size());
    const auto mark = name.substr(name.size() - digits);
    return name[name.size() - digits - 1] == '.' &&
           mark.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A fresh temporary file that this process holds while the descriptor, or a copy of it, is open.
std::pair<UniqueFd, fs::path> open_temporary(const fs::path& path, unsigned mode) {
    for (;;) {
        fs::path temporary = temporary_name(path);
        UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
        if (!fd)
            throw system_error(ErrorKind::storage, "cannot write in " + temporary.parent_path().string(),
                               errno);
        if (hold_temporary(fd.get())) return {std::move(fd), std::move(temporary)};
    }
}

// The temporary files of `path` that killed processes left.
void remove_abandoned_of(const fs::path& path) {
    const std::string start = "." + path.filename().string() + ".";
    const std::size_t size = temporary_name(path).filename().string().size();
    std::error_code failure;
    for (fs::directory_iterator entries(temporary_name(path).parent_path(), failure);
         !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
        const std::string name = entries->path().filename().string();
        if (name.size() == size && name.starts_with(start) && is_temporary_name(name))
            remove_if_abandoned(entries->path());
    }
}

void write_whole(const fs::path& path, BytesView bytes, unsigned mode, bool durable) {
    auto [fd, temporary] = open_temporary(path, mode);
    try {
        const std::string what = "cannot write " + path.string();
        // close() may tell of a write that failed; the copy keeps the file held until it has its name.
        const UniqueFd held(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
        if (!held) throw system_error(ErrorKind::storage, what, errno);
        write_past_cache(fd.get(), bytes, what.c_str());
        if (::fchmod(fd.get(), mode) != 0 || (durable && ::fsync(fd.get()) != 0) ||
            ::close(fd.release()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0)
            throw system_error(ErrorKind::storage, what, errno);
        if (durable) sync_dir(temporary.parent_path());
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
}

}  // namespace

void write_file_atomic(const fs::path& path, BytesView bytes, unsigned mode) {
    write_whole(path, bytes, mode, true);
}

void replace_file(const fs::path& path, BytesView bytes, unsigned mode) {
    write_whole(path, bytes, mode, false);
}

NewFile::NewFile(fs::path path, unsigned mode) : path_(std::move(path)) {
    remove_abandoned_of(path_);
    std::tie(fd_, temporary_) = open_temporary(path_, mode);
}

NewFile::~NewFile() {
    ::unlink(temporary_.c_str());
}

void NewFile::commit() {
    if (::fsync(fd_.get()) != 0)
        throw system_error(ErrorKind::storage, "cannot write " + path_.string(), errno);
    if (::link(temporary_.c_str(), path_.c_str()) != 0) {  // unlike rename, never over another file
        if (errno == EEXIST)
            throw Error(ErrorKind::exists, path_.string() + " exists already; nothing was changed");
        throw system_error(ErrorKind::storage, "cannot write " + path_.string(), errno);
    }
    sync_dir(temporary_.parent_path());
}

std::size_t remove_abandoned_temporaries(const fs::path& folder) {
    std::size_t out = 0;
    std::error_code failure;
    fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied, failure);
    for (; !failure && entries != fs::recursive_directory_iterator(); entries.increment(failure))
        if (is_temporary_name(entries->path().filename().string()) && remove_if_abandoned(entries->path()))
            ++out;
    return out;
}

void make_private_dir(const fs::path& path) {
    std::error_code failure;
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), failure);
    if (failure)
        throw Error(ErrorKind::storage,
                    "cannot make " + path.parent_path().string() + ": " + failure.message());
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        throw system_error(ErrorKind::storage, "cannot make " + path.string(), errno);
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0)
        throw system_error(ErrorKind::storage, "cannot stat " + path.string(), errno);
    if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 077) != 0)
        throw Error(ErrorKind::insecure_file,
                    path.string() + " must be a folder of this user that is closed to all others",
                    "chown it to the user that runs this program, then: chmod 0700 " + path.string());
}

void require_private_file(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        const ErrorKind kind = errno == ENOENT ? ErrorKind::not_found : ErrorKind::storage;
        throw system_error(kind, "cannot read " + path.string(), errno);
    }
    if (!S_ISREG(info.st_mode))
        throw Error(ErrorKind::insecure_file, path.string() + " is not a regular file");
    if (info.st_uid != ::geteuid() && info.st_uid != 0)
        throw Error(ErrorKind::insecure_file, path.string() + " belongs to another user",
                    "Give it to the user that runs this program (chown).");
    if ((info.st_mode & 077) != 0)
        throw Error(ErrorKind::insecure_file, path.string() + " is open to other users of this machine",
                    "chmod 0600 " + path.string());
}

TempDir::TempDir(const fs::path& parent, const std::string& prefix) {
    fs::path base = parent;
    if (base.empty()) {
        const char* tmp = std::getenv("TMPDIR");
        base = tmp != nullptr && *tmp != '\0' ? tmp : "/tmp";
    }
    std::string name = (base / (prefix + ".XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr)
        throw system_error(ErrorKind::storage, "cannot make a temporary folder in " + base.string(), errno);
    path_ = name;
}

TempDir::TempDir(TempDir&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
}

TempDir::~TempDir() {
    if (path_.empty()) return;
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

}  // namespace strongroom
