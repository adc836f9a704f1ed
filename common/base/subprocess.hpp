// Child processes: argv arrays only (never a shell), a small clean environment, named descriptors only, and
// an exit status that cannot be overlooked.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"

namespace strongroom {

struct ExitStatus {
    int code = -1;   // exit code, or -1 if ended by a signal
    int signal = 0;  // the signal, or 0
    bool ok() const { return code == 0; }
    std::string describe() const;  // "exit code 1", "ended by signal 9 (Killed)"
};

struct SpawnOptions {
    std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it has a slash
    // Child descriptor -> our descriptor. 0, 1 and 2 default to /dev/null; no other descriptor is inherited.
    std::map<int, int> fds;
    // Extra variables. The child otherwise sees only PATH, HOME, LANG=C.UTF-8, TMPDIR, GPG_TTY,
    // GNUPGHOME-free.
    std::map<std::string, std::string> environment;
    std::optional<std::string> directory;
};

// One running child. Not shared between threads. The destructor kills and reaps a child that was not waited
// for.
class Subprocess {
  public:
    // Throws Error{tool_missing} if the program does not exist, Error{internal} if it cannot be started.
    explicit Subprocess(const SpawnOptions& options);
    Subprocess(Subprocess&& other) noexcept;
    Subprocess& operator=(Subprocess&&) = delete;
    ~Subprocess();

    pid_t pid() const { return pid_; }
    ExitStatus wait();
    // nullopt if it still runs after `limit`.
    std::optional<ExitStatus> wait_for(std::chrono::milliseconds limit);
    // SIGTERM, a grace time, SIGKILL; then the status.
    ExitStatus terminate(std::chrono::milliseconds grace = std::chrono::seconds(2));

  private:
    pid_t pid_ = -1;
    std::optional<ExitStatus> status_;
};

struct RunResult {
    ExitStatus status;
    Bytes out;
    Bytes err;
};

// Runs a child to its end with `input` on stdin, collecting at most `max_output` bytes of each stream.
// Throws Error{timeout} (the child is killed) after `limit`; a non-zero exit is the caller's to judge.
RunResult run_program(SpawnOptions options, BytesView input = {},
                      std::chrono::milliseconds limit = std::chrono::seconds(60),
                      std::size_t max_output = 16U << 20U);

// Full path of a program in PATH, or nullopt.
std::optional<std::string> find_program(const std::string& name);

}  // namespace strongroom
