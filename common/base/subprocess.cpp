#include "common/base/subprocess.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom {
namespace {

constexpr const char* default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string search_path() {
    const char* path = std::getenv("PATH");
    return path != nullptr && *path != '\0' ? path : default_path;
}

std::vector<std::string> child_environment(const std::map<std::string, std::string>& extra) {
    std::map<std::string, std::string> wanted{
        {"PATH", search_path()}, {"LANG", "C.UTF-8"}, {"LC_ALL", "C.UTF-8"}};
    for (const char* kept :
         {"HOME", "TMPDIR", "GPG_TTY", "TERM", "DISPLAY", "XDG_RUNTIME_DIR", "ASAN_OPTIONS"})
        if (const char* value = std::getenv(kept)) wanted[kept] = value;
    for (const auto& [key, value] : extra) wanted[key] = value;
    std::vector<std::string> out;
    for (const auto& [key, value] : wanted) out.push_back(key + "=" + value);
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> out;
    for (auto& s : strings) out.push_back(s.data());
    out.push_back(nullptr);
    return out;
}

// posix_spawn's file actions run in order, so our descriptors are first moved out of the way of the child's
// numbers.
class FileActions {
  public:
    explicit FileActions(std::map<int, int> fds) {
        posix_spawn_file_actions_init(&actions_);
        for (int standard = 0; standard < 3; ++standard)
            if (!fds.contains(standard))
                posix_spawn_file_actions_addopen(&actions_, standard, "/dev/null",
                                                 standard == 0 ? O_RDONLY : O_WRONLY, 0);
        int highest = 2;
        for (const auto& [child, ours] : fds) {
            UniqueFd copy(::fcntl(ours, F_DUPFD_CLOEXEC, 200));
            if (!copy) throw system_error(ErrorKind::internal, "cannot pass a descriptor to a child", errno);
            posix_spawn_file_actions_adddup2(&actions_, copy.get(), child);
            copies_.push_back(std::move(copy));
            highest = std::max(highest, child);
        }
        posix_spawn_file_actions_addclosefrom_np(&actions_, highest + 1);
    }
    ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
    FileActions(const FileActions&) = delete;

    posix_spawn_file_actions_t* get() { return &actions_; }
    void change_directory(const std::string& path) {
        posix_spawn_file_actions_addchdir_np(&actions_, path.c_str());
    }

  private:
    posix_spawn_file_actions_t actions_{};
    std::vector<UniqueFd> copies_;
};

ExitStatus decode(int raw) {
    if (WIFEXITED(raw)) return {WEXITSTATUS(raw), 0};
    return {-1, WTERMSIG(raw)};
}

}  // namespace

std::string ExitStatus::describe() const {
    if (signal == 0) return "exit code " + std::to_string(code);
    const char* text = sigdescr_np(signal);
    return "ended by signal " + std::to_string(signal) + " (" + (text != nullptr ? text : "unknown") + ")";
}

std::optional<std::string> find_program(const std::string& name) {
    const auto executable = [](const std::string& path) {
        struct stat info {};
        return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0;
    };
    if (name.find('/') != std::string::npos) return executable(name) ? std::optional(name) : std::nullopt;
    std::istringstream folders(search_path());
    for (std::string folder; std::getline(folders, folder, ':');)
        if (!folder.empty() && executable(folder + "/" + name)) return folder + "/" + name;
    return std::nullopt;
}

Subprocess::Subprocess(const SpawnOptions& options) {
    if (options.argv.empty()) throw Error(ErrorKind::internal, "no program to start");
    const auto program = find_program(options.argv.front());
    if (!program)
        throw Error(ErrorKind::tool_missing,
                    "the program " + options.argv.front() + " is not installed or not executable",
                    "Install it, or correct the path in the configuration.");
    FileActions actions(options.fds);
    if (options.directory) actions.change_directory(*options.directory);

    // Children start with no blocked signals and default SIGPIPE, whatever this program does with its own.
    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&defaults, signal);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    // Its own process group: a Ctrl-C reaches this program, which then ends its children in order.
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

    auto argv = options.argv;
    auto environment = child_environment(options.environment);
    const int failure = ::posix_spawn(&pid_, program->c_str(), actions.get(), &attributes,
                                      pointers(argv).data(), pointers(environment).data());
    posix_spawnattr_destroy(&attributes);
    if (failure != 0) {
        pid_ = -1;
        // It was there a moment ago; an upgrade may be replacing it.
        const bool gone = !find_program(options.argv.front());
        throw system_error(gone ? ErrorKind::tool_missing : ErrorKind::internal, "cannot start " + *program,
                           failure);
    }
}

Subprocess::Subprocess(Subprocess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(std::move(other.status_)) {}

Subprocess::~Subprocess() {
    if (pid_ < 0 || status_) return;
    ::kill(-pid_, SIGKILL);
    int raw = 0;
    while (::waitpid(pid_, &raw, 0) < 0 && errno == EINTR) {
    }
}

ExitStatus Subprocess::wait() {
    if (status_) return *status_;
    int raw = 0;
    while (::waitpid(pid_, &raw, 0) < 0)
        if (errno != EINTR) throw system_error(ErrorKind::internal, "cannot wait for a child process", errno);
    status_ = decode(raw);
    return *status_;
}

std::optional<ExitStatus> Subprocess::wait_for(std::chrono::milliseconds limit) {
    if (status_) return status_;
    const UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!handle) throw system_error(ErrorKind::internal, "cannot watch a child process", errno);
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        pollfd waiting{handle.get(), POLLIN, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<long long>(0, left.count())));
        if (ready > 0) return wait();
        if (ready == 0) return std::nullopt;
        if (errno != EINTR) throw system_error(ErrorKind::internal, "cannot watch a child process", errno);
    }
}

ExitStatus Subprocess::terminate(std::chrono::milliseconds grace) {
    if (status_) return *status_;
    ::kill(-pid_, SIGTERM);
    if (const auto ended = wait_for(grace)) return *ended;
    ::kill(-pid_, SIGKILL);
    return wait();
}

RunResult run_program(SpawnOptions options, BytesView input, std::chrono::milliseconds limit,
                      std::size_t max_output) {
    MemFile in("stdin", input.size());
    if (!input.empty()) std::memcpy(in.data(), input.data(), input.size());
    in.rewind();
    MemFile out("stdout");
    MemFile err("stderr");
    options.fds[0] = in.fd();
    options.fds[1] = out.fd();
    options.fds[2] = err.fd();
    Subprocess child(options);
    const auto status = child.wait_for(limit);
    if (!status) {
        child.terminate();
        throw Error(ErrorKind::timeout, options.argv.front() + " did not finish within " +
                                            std::to_string(limit.count() / 1000) + " s");
    }
    out.map_all();
    err.map_all();
    if (out.size() > max_output || err.size() > max_output)
        throw Error(ErrorKind::protocol,
                    options.argv.front() + " wrote more than " + std::to_string(max_output) + " bytes");
    return {*status, Bytes(out.view()), Bytes(err.view())};
}

}  // namespace strongroom
