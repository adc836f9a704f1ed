// mydumper at work: a child that writes files into a folder, and a thread that sees which of them are
// finished, and holds the child while too much of them waits. The folder is in memory, and mydumper writes as
// fast as the database reads: without that, a slow store would fill the memory of the host.
//
// The child ends with this process, also when that is killed.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/unique_fd.hpp"

namespace strongroom::agent {

class MydumperProcess {
  public:
    struct Options {
        std::vector<std::string> argv;
        std::filesystem::path folder;     // empty, private, for this process alone
        std::int64_t memory = 0;          // bytes of files that may wait
        std::chrono::milliseconds stall;  // longest time in which it writes nothing, and is not held
        // mydumper 0.10 can wait for itself for ever (a thread that reports to a queue which is gone
        // already). Asked when it has written nothing for `quiet`; twice false: it hangs.
        std::function<bool()> asks_something = [] { return true; };
        std::chrono::milliseconds quiet = std::chrono::seconds(10);
    };
    // Throws as Subprocess does. The child ends when the thread that calls this ends.
    explicit MydumperProcess(Options options);
    // Ends a child that still runs: SIGTERM, 2 s, SIGKILL.
    ~MydumperProcess();

    struct File {
        std::string name;
        UniqueFd fd;  // for reading and emptying
        std::int64_t size = 0;
    };
    // The next finished file, "metadata" last; none: there is none to come, and mydumper ended with success.
    // Waits. Throws Error{source} with its words if it failed, or wrote into a file that was finished,
    // or hangs, Error{timeout} after `stall`, Error{interrupted} after abort().
    std::optional<File> next();
    // The file that came last was read: it is emptied, and counts no more.
    void release(const File& file);

    // Safe to call from another thread, and twice; next() returns at once.
    void abort() noexcept;

  private:
    class Watch;
    std::unique_ptr<Watch> watch_;
};

}  // namespace strongroom::agent
