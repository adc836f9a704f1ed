// Child processes at both ends of the data path: a dump tool's output as a source, a consumer's input as a
// target. Standard error of both is kept as a bounded head and tail, for error texts and for what a tool says
// about itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/backupset/streams.hpp"
#include "common/base/error.hpp"
#include "common/base/subprocess.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom::backupset {

// What a child wrote to its standard error: the first and the last bytes of it. Foreign text: print it with
// printable_line().
struct Diagnostics {
    static constexpr std::size_t max_head = 32U << 10U;
    static constexpr std::size_t max_tail = 64U << 10U;
    std::string head;  // at most max_head bytes
    std::string tail;  // at most max_tail bytes; overlaps `head` if the child wrote little
    void add(BytesView bytes);
    // Adds what is there to read now; closes `fd`, which does not block, at its end.
    void drain(UniqueFd& fd);
    // The last line that is not empty, fit for an error text; empty if there is none.
    std::string last_line() const;
};

class ProcessSource : public Source {
  public:
    struct Options {
        std::string name;    // what errors call it: "mariadb-backup"
        SpawnOptions spawn;  // descriptors 1 and 2 belong to this class; 0 is /dev/null unless given
        std::chrono::milliseconds stall = std::chrono::minutes(30);  // longest silence before it is given up
    };

    // Starts the child; throws as Subprocess does (Error{tool_missing} if there is no such program).
    explicit ProcessSource(Options options);
    // Ends a child that still runs: SIGTERM to its process group, 2 s, SIGKILL.
    ~ProcessSource() override;

    // Throws Error{timeout} after `stall` without a byte, Error{interrupted} after abort().
    std::size_t read(char* data, std::size_t size) final;
    // Throws Error{source} with the last line of standard error unless the exit status is 0; then check().
    Facts finish() final;
    // SIGTERM to the child's process group; a read that waits returns at once.
    void abort() noexcept final;

  protected:
    // Called once by finish() after exit status 0. Throws Error{source} if the tool did not say that it
    // succeeded.
    virtual Facts check(const Diagnostics& said);

  private:
    void drain_diagnostics();
    bool aborted();

    Options options_;
    UniqueFd out_;
    UniqueFd err_;
    UniqueFd wake_;   // eventfd: readable after abort()
    UniqueFd ended_;  // pidfd: readable when the child has ended
    Diagnostics said_;
    std::mutex mutex_;  // guards child_ and aborted_ against abort() from another thread
    std::unique_ptr<Subprocess> child_;
    bool aborted_ = false;
};

class ProcessTarget : public Target {
  public:
    struct Options {
        std::string name;    // what errors call it: "mbstream"
        SpawnOptions spawn;  // descriptors 0 and 2 belong to this class; 1 is /dev/null unless given
        ErrorKind kind = ErrorKind::storage;  // of the error when the child fails
    };

    explicit ProcessTarget(Options options);
    // Without commit() the child is ended before its input is closed, so it cannot take a cut stream for a
    // whole one.
    ~ProcessTarget() override;

    // Throws Error{kind} with the child's exit status and last line if it stops reading.
    void write(const char* data, std::size_t size) override;
    // Closes the child's input, waits for it, and throws Error{kind} unless its exit status is 0.
    void commit() override;

    const Diagnostics& said() const { return said_; }

  private:
    void drain_diagnostics();
    ExitStatus wait_for_end(std::optional<std::chrono::seconds> limit);
    [[noreturn]] void fail(const ExitStatus& status);

    Options options_;
    UniqueFd in_;
    UniqueFd err_;
    Diagnostics said_;
    std::unique_ptr<Subprocess> child_;
};

}  // namespace strongroom::backupset
