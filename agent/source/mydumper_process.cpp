#include "agent/source/mydumper_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "agent/source/finished_files.hpp"
#include "common/backupset/process_streams.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::agent {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds tick{20};
constexpr std::chrono::seconds renaming{2};  // longest time in which a name may be out of date

// "** (mydumper:16295): CRITICAL **: 06:42:35.343: Couldn't acquire global lock, ...": the first such line
// says why; else the last of all.
std::string reason_in(const backupset::Diagnostics& said) {
    constexpr std::string_view mark = "CRITICAL **: ";
    const auto at = said.head.find(mark);
    if (at == std::string::npos) return said.last_line();
    const std::string_view rest = std::string_view(said.head).substr(at + mark.size());
    const auto line = rest.substr(0, rest.find('\n'));
    const auto time = line.find(": ");
    return printable_line(time == std::string_view::npos ? line : line.substr(time + 2));
}

}  // namespace

class MydumperProcess::Watch {
  public:
    explicit Watch(Options options)
        : options_(std::move(options)),
          files_(options_.folder, "metadata"),
          wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        Pipe err = make_pipe();
        SpawnOptions spawn;
        spawn.argv = {"setpriv", "--pdeathsig", "KILL"};
        spawn.argv.insert(spawn.argv.end(), options_.argv.begin(), options_.argv.end());
        spawn.fds = {{1, err.write.get()}, {2, err.write.get()}};
        if (!wake_ || ::fcntl(err.read.get(), F_SETFL, O_NONBLOCK) != 0)
            throw system_error(ErrorKind::internal, "cannot watch mydumper", errno);
        child_.emplace(spawn);
        ended_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child_->pid(), 0)));
        if (!ended_) throw system_error(ErrorKind::internal, "cannot watch mydumper", errno);
        said_from_ = std::move(err.read);
        thread_ = std::thread([this] { run(); });
    }

    ~Watch() {
        abort();
        thread_.join();
        try {
            if (child_) child_->terminate();
        } catch (const Error&) {
            // Subprocess's own destructor kills what is left.
        }
    }

    std::optional<File> next() {
        std::unique_lock lock(mutex_);
        const auto give_up = [&] { return failure_ || aborted_; };
        std::optional<Clock::time_point> renamed_by;
        for (;;) {
            changed_.wait(lock,
                          [&] { return give_up() || ended_well_ || is_quiet_ || !files_.waiting().empty(); });
            if (failure_) std::rethrow_exception(failure_);
            if (aborted_) throw Error(ErrorKind::interrupted, "mydumper was stopped before its end");
            if (is_quiet_ && files_.waiting().empty() && !ended_well_) {
                look_whether_it_hangs(lock);
                continue;
            }
            if (files_.waiting().empty()) {
                require_nothing_left();
                return std::nullopt;
            }
            const auto name = files_.waiting().front().name;
            if (auto file = open(name)) {
                files_.take();
                given_bytes_ = file->size;
                return file;
            }
            if (!renamed_by) renamed_by = Clock::now() + renaming;
            if (Clock::now() > *renamed_by)
                throw Error(ErrorKind::source, "mydumper's file " + printable_line(name, 200) + " vanished");
            changed_.wait_for(lock, tick);
        }
    }

    void release(const File& file) {
        struct stat info {};
        if (::fstat(file.fd.get(), &info) != 0 || info.st_size != file.size ||
            ::ftruncate(file.fd.get(), 0) != 0)
            throw Error(ErrorKind::source, "mydumper wrote into its file " + printable_line(file.name, 200) +
                                               " after it had closed it");
        const std::lock_guard lock(mutex_);
        given_bytes_ = 0;
    }

    void abort() noexcept {
        const std::lock_guard lock(mutex_);
        aborted_ = true;
        const std::uint64_t one = 1;
        (void)!::write(wake_.get(), &one, sizeof one);
        if (running_) {
            ::kill(-child_->pid(), SIGTERM);
            ::kill(-child_->pid(), SIGCONT);
        }
        changed_.notify_all();
    }

  private:
    // None: it has another name by now.
    std::optional<File> open(const std::string& name) const {
        const auto path = options_.folder / name;
        File out{name, UniqueFd(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC)), 0};
        if (!out.fd && errno == ENOENT) return std::nullopt;
        struct stat info {};
        if (!out.fd || ::fstat(out.fd.get(), &info) != 0 || !S_ISREG(info.st_mode))
            throw system_error(ErrorKind::source, "cannot open mydumper's file " + printable_line(name, 200),
                               errno);
        out.size = info.st_size;
        return out;
    }

    void look_whether_it_hangs(std::unique_lock<std::mutex>& lock) {
        lock.unlock();
        const bool busy = options_.asks_something();
        lock.lock();
        idle_looks_ = busy ? 0 : idle_looks_ + 1;
        if (idle_looks_ >= 2 && is_quiet_ && !ended_well_)
            throw Error(
                ErrorKind::source, "mydumper hangs: it writes nothing and asks the database nothing",
                "A known fault of mydumper 0.10, which comes by chance. Nothing was kept; try again.");
        is_quiet_ = false;
        quiet_since_ = Clock::now();
    }

    void require_nothing_left() const {
        if (const auto left = files_.not_empty(); !left.empty())
            throw Error(ErrorKind::source, "mydumper wrote into its file " +
                                               printable_line(*left.begin(), 200) +
                                               " after it had closed it");
    }

    void run() noexcept {
        try {
            while (!turn()) {
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            failure_ = std::current_exception();
        }
        changed_.notify_all();
    }

    // True: there is no more to watch.
    bool turn() {
        std::array waiting{pollfd{ended_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
        (void)::poll(waiting.data(), waiting.size(), static_cast<int>(tick.count()));
        const std::lock_guard lock(mutex_);
        said_.drain(said_from_);
        const bool moved = files_.look();
        if (aborted_) return true;
        if ((waiting[0].revents & POLLIN) != 0) {
            end();
            return true;
        }
        const auto growing = files_.growing_bytes();
        hold_back(growing);
        if (moved || held_ || growing != growing_) {
            last_move_ = quiet_since_ = Clock::now();
            is_quiet_ = false;
            idle_looks_ = 0;
        }
        growing_ = growing;
        if (!is_quiet_ && Clock::now() - quiet_since_ > options_.quiet) {
            is_quiet_ = true;
            changed_.notify_all();
        }
        if (Clock::now() - last_move_ > options_.stall)
            throw Error(ErrorKind::timeout,
                        "mydumper wrote nothing for " + std::to_string(options_.stall.count() / 1000) + " s",
                        "See whether the database hangs or waits for a lock (SHOW PROCESSLIST).");
        if (!files_.waiting().empty()) changed_.notify_all();
        return false;
    }

    void end() {
        running_ = false;
        const ExitStatus status = child_->wait();
        said_.drain(said_from_);
        if (!status.ok()) {
            const auto reason = reason_in(said_);
            throw Error(ErrorKind::source, "mydumper failed: " + status.describe() +
                                               (reason.empty() ? "" : "; it said: " + reason));
        }
        files_.sweep();
        ended_well_ = true;
    }

    // What is being read counts, too. Held only while something finished waits, so that it always goes on.
    void hold_back(std::int64_t growing) {
        const auto bytes = files_.waiting_bytes() + given_bytes_ + growing;
        const bool finished = !files_.waiting().empty() || given_bytes_ > 0;
        const bool hold = finished && bytes > (held_ ? options_.memory / 2 : options_.memory);
        if (hold == held_) return;
        held_ = hold;
        ::kill(-child_->pid(), hold ? SIGSTOP : SIGCONT);
    }

    const Options options_;
    std::mutex mutex_;  // guards all below
    std::condition_variable changed_;
    FinishedFiles files_;
    UniqueFd wake_;
    UniqueFd ended_;
    UniqueFd said_from_;
    backupset::Diagnostics said_;
    std::optional<Subprocess> child_;
    bool running_ = true;
    bool held_ = false;
    bool aborted_ = false;
    bool ended_well_ = false;
    std::int64_t given_bytes_ = 0;
    std::int64_t growing_ = 0;
    Clock::time_point last_move_ = Clock::now();
    Clock::time_point quiet_since_ = Clock::now();
    bool is_quiet_ = false;
    int idle_looks_ = 0;
    std::exception_ptr failure_;
    std::thread thread_;
};

MydumperProcess::MydumperProcess(Options options) : watch_(std::make_unique<Watch>(std::move(options))) {}

MydumperProcess::~MydumperProcess() = default;

std::optional<MydumperProcess::File> MydumperProcess::next() {
    return watch_->next();
}

void MydumperProcess::release(const File& file) {
    watch_->release(file);
}

void MydumperProcess::abort() noexcept {
    watch_->abort();
}

}  // namespace strongroom::agent
