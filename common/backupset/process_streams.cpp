#include "common/backupset/process_streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/backupset/sigpipe_guard.hpp"
#include "common/base/printable.hpp"

namespace strongroom::backupset {
namespace {

void set_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        throw system_error(ErrorKind::internal, "cannot prepare a pipe", errno);
}

// Waits for any of `waiting`; false if `limit_ms` (-1: none) ran out.
template <std::size_t N>
bool wait_any(std::array<pollfd, N>& waiting, int limit_ms) {
    for (;;) {
        const int ready = ::poll(waiting.data(), waiting.size(), limit_ms);
        if (ready >= 0) return ready > 0;
        if (errno != EINTR) throw system_error(ErrorKind::internal, "cannot wait for a child process", errno);
    }
}

std::string with_last_line(const std::string& text, const Diagnostics& said) {
    const std::string line = said.last_line();
    return line.empty() ? text : text + "; it said: " + line;
}

}  // namespace

void Diagnostics::add(BytesView bytes) {
    if (head.size() < max_head) head.append(bytes.substr(0, max_head - head.size()));
    if (bytes.size() > max_tail) bytes.remove_prefix(bytes.size() - max_tail);
    if (tail.size() + bytes.size() > max_tail) tail.erase(0, tail.size() + bytes.size() - max_tail);
    tail.append(bytes);
}

void Diagnostics::drain(UniqueFd& fd) {
    std::array<char, 16384> buffer{};
    while (fd) {
        const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got > 0) {
            add({buffer.data(), static_cast<std::size_t>(got)});
        } else if (got < 0 && errno == EINTR) {
            continue;
        } else if (got < 0 && errno == EAGAIN) {
            return;
        } else {
            fd.reset();
        }
    }
}

std::string Diagnostics::last_line() const {
    return printable_line(strongroom::last_line(tail));
}

ProcessSource::ProcessSource(Options options) : options_(std::move(options)) {
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    SpawnOptions spawn = options_.spawn;
    spawn.fds[1] = out.write.get();
    spawn.fds[2] = err.write.get();
    // A larger pipe lets the tool go on while a worker takes the lock.
    (void)::fcntl(out.read.get(), F_SETPIPE_SZ, 1 << 20);
    set_nonblocking(out.read.get());
    set_nonblocking(err.read.get());
    wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) throw system_error(ErrorKind::internal, "cannot make an event descriptor", errno);
    child_ = std::make_unique<Subprocess>(spawn);
    ended_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child_->pid(), 0)));
    if (!ended_) throw system_error(ErrorKind::internal, "cannot watch a child process", errno);
    out_ = std::move(out.read);
    err_ = std::move(err.read);
}

ProcessSource::~ProcessSource() {
    try {
        if (child_) child_->terminate();
    } catch (const Error&) {
        // Subprocess's own destructor kills what is left.
    }
}

void ProcessSource::drain_diagnostics() {
    said_.drain(err_);
}

bool ProcessSource::aborted() {
    const std::lock_guard lock(mutex_);
    return aborted_;
}

std::size_t ProcessSource::read(char* data, std::size_t size) {
    using Clock = std::chrono::steady_clock;
    std::size_t done = 0;
    auto last_byte = Clock::now();
    while (done < size && out_) {
        const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - last_byte);
        const auto left = std::max(std::chrono::milliseconds(0), options_.stall - silent);
        std::array waiting{pollfd{out_.get(), POLLIN, 0}, pollfd{err_.get(), POLLIN, 0},
                           pollfd{wake_.get(), POLLIN, 0}};
        const bool ready = wait_any(waiting, static_cast<int>(std::min<long long>(left.count(), 1 << 30)));
        if (waiting[2].revents != 0)
            throw Error(ErrorKind::interrupted, options_.name + " was stopped before its end");
        if (waiting[1].revents != 0) drain_diagnostics();
        if (!ready)
            throw Error(ErrorKind::timeout,
                        with_last_line(options_.name + " sent nothing for " +
                                           std::to_string(options_.stall.count() / 1000) + " s",
                                       said_),
                        "See whether the database hangs or waits for a lock (SHOW PROCESSLIST).");
        if (waiting[0].revents == 0) continue;
        const ssize_t got = ::read(out_.get(), data + done, size - done);
        if (got > 0) {
            done += static_cast<std::size_t>(got);
            last_byte = Clock::now();
        } else if (got == 0) {
            out_.reset();
        } else if (errno != EINTR && errno != EAGAIN) {
            throw system_error(ErrorKind::source, "cannot read from " + options_.name, errno);
        }
    }
    return done;
}

Source::Facts ProcessSource::finish() {
    // The tool has closed its output; what is left is its exit, and what it still says.
    const auto give_up = std::chrono::steady_clock::now() + options_.stall;
    for (bool running = true; running;) {
        std::array waiting{pollfd{ended_.get(), POLLIN, 0}, pollfd{err_.get(), POLLIN, 0},
                           pollfd{wake_.get(), POLLIN, 0}};
        wait_any(waiting, 1000);
        drain_diagnostics();
        running = waiting[0].revents == 0;
        if (aborted()) throw Error(ErrorKind::interrupted, options_.name + " was stopped before its end");
        if (running && std::chrono::steady_clock::now() > give_up)
            throw Error(ErrorKind::timeout, options_.name + " closed its output but does not end");
    }
    ExitStatus status;
    {
        const std::lock_guard lock(mutex_);
        status = child_->wait();
        child_.reset();
    }
    drain_diagnostics();
    if (!status.ok())
        throw Error(ErrorKind::source,
                    with_last_line(options_.name + " failed: " + status.describe(), said_));
    return check(said_);
}

void ProcessSource::abort() noexcept {
    const std::lock_guard lock(mutex_);
    aborted_ = true;
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
    if (child_) ::kill(-child_->pid(), SIGTERM);
}

Source::Facts ProcessSource::check(const Diagnostics&) {
    return {};
}

ProcessTarget::ProcessTarget(Options options) : options_(std::move(options)) {
    Pipe in = make_pipe();
    Pipe err = make_pipe();
    SpawnOptions spawn = options_.spawn;
    spawn.fds[0] = in.read.get();
    spawn.fds[2] = err.write.get();
    (void)::fcntl(in.write.get(), F_SETPIPE_SZ, 1 << 20);
    set_nonblocking(in.write.get());
    set_nonblocking(err.read.get());
    child_ = std::make_unique<Subprocess>(spawn);
    in_ = std::move(in.write);
    err_ = std::move(err.read);
}

ProcessTarget::~ProcessTarget() {
    try {
        if (child_) child_->terminate();
    } catch (const Error&) {
        // Subprocess's own destructor kills what is left.
    }
}

void ProcessTarget::drain_diagnostics() {
    said_.drain(err_);
}

ExitStatus ProcessTarget::wait_for_end(std::optional<std::chrono::seconds> limit) {
    const auto start = std::chrono::steady_clock::now();
    std::optional<ExitStatus> status;
    while (!status) {
        drain_diagnostics();  // a child that cannot write its last words would not end
        status = child_->wait_for(std::chrono::milliseconds(20));
        if (!status && limit && std::chrono::steady_clock::now() - start > *limit)
            status = child_->terminate();
    }
    child_.reset();
    drain_diagnostics();
    return *status;
}

void ProcessTarget::fail(const ExitStatus& status) {
    throw Error(options_.kind, with_last_line(options_.name + " failed: " + status.describe(), said_));
}

void ProcessTarget::write(const char* data, std::size_t size) {
    if (!child_ || !in_) throw Error(ErrorKind::internal, options_.name + " has ended already");
    const SigpipeGuard guard;
    while (size > 0) {
        std::array waiting{pollfd{in_.get(), POLLOUT, 0}, pollfd{err_.get(), POLLIN, 0}};
        wait_any(waiting, -1);
        if (waiting[1].revents != 0) drain_diagnostics();
        if (waiting[0].revents == 0) continue;
        const ssize_t sent = ::write(in_.get(), data, size);
        if (sent > 0) {
            data += sent;
            size -= static_cast<std::size_t>(sent);
        } else if (sent < 0 && errno == EPIPE) {
            // It closed its input: it is ending, or will never read again.
            const ExitStatus status = wait_for_end(std::chrono::seconds(10));
            if (status.ok()) {
                throw Error(options_.kind,
                            with_last_line(options_.name + " ended before it had read everything", said_));
            }
            fail(status);
        } else if (sent < 0 && errno != EINTR && errno != EAGAIN) {
            throw system_error(options_.kind, "cannot write to " + options_.name, errno);
        }
    }
}

void ProcessTarget::commit() {
    if (!child_ || !in_) throw Error(ErrorKind::internal, options_.name + " has ended already");
    in_.reset();
    const ExitStatus status = wait_for_end({});
    if (!status.ok()) fail(status);
}

}  // namespace strongroom::backupset
