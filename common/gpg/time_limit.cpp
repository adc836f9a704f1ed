#include "common/gpg/time_limit.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/gpg/home.hpp"

namespace strongroom::gpg {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

constexpr const char* mark_name = "STRONGROOM_GPG_OF";
std::string mark;  // NAME=VALUE
constexpr std::chrono::milliseconds slack{1000};

std::string read_all(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// "pipe:[NUMBER]" of each pipe that a process has open, but for its standard streams if `own`.
std::set<std::string> pipes_of(const fs::path& process, bool own) {
    std::set<std::string> out;
    std::set<std::string> standard;
    std::error_code failure;
    fs::directory_iterator entries(process / "fd", failure);
    for (; !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
        std::error_code gone;
        const std::string target = fs::read_symlink(entries->path(), gone).string();
        if (gone || !target.starts_with("pipe:")) continue;
        const bool is_standard =
            entries->path().filename().string().size() == 1 && entries->path().filename().string() <= "2";
        (own && is_standard ? standard : out).insert(target);
    }
    for (const auto& pipe : standard) out.erase(pipe);
    return out;
}

std::chrono::milliseconds age_of(const fs::path& process) {
    const std::string stat = read_all(process / "stat");
    const auto name_end = stat.rfind(')');
    if (name_end == std::string::npos) return {};
    std::istringstream fields(stat.substr(name_end + 1));
    std::string field;
    for (int at = 3; at <= 22; ++at) fields >> field;  // starttime, see proc(5)
    double up = 0;
    std::istringstream(read_all("/proc/uptime")) >> up;
    const double started = std::atof(field.c_str()) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return std::chrono::milliseconds(static_cast<std::int64_t>(1000 * (up - started)));
}

// A process of an operation of ours: it has our mark and holds one of our pipes. (A gpg-agent that was
// started on the way has the mark, but no pipe; a program that we write to has a pipe, but no mark.)
bool is_of_ours(const fs::path& process, const std::set<std::string>& ours) {
    const std::string environment = '\0' + read_all(process / "environ");
    if (environment.find('\0' + mark + '\0') == std::string::npos) return false;
    const auto theirs = pipes_of(process, false);
    return std::ranges::any_of(theirs, [&](const auto& pipe) { return ours.contains(pipe); });
}

void kill_older_than(std::chrono::milliseconds limit) {
    const auto age = limit - slack;
    const auto ours = pipes_of("/proc/self", true);
    std::error_code failure;
    fs::directory_iterator entries("/proc", failure);
    for (; !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
        const std::string name = entries->path().filename().string();
        const auto pid = static_cast<pid_t>(std::atol(name.c_str()));
        if (pid <= 1 || pid == ::getpid() || !is_of_ours(entries->path(), ours)) continue;
        if (age_of(entries->path()) < age) continue;
        ::kill(pid, SIGKILL);
        log_event(Level::error, "CHILD_KILLED", "gpg (process {}) did not end within {}", pid,
                  format_duration(limit));
    }
}

// One thread for all operations; it ends with the process.
class Watchdog {
  public:
    static Watchdog& instance() {
        static auto* const dog = new Watchdog;  // its thread outlives static destructors
        return *dog;
    }

    void set_limit(std::chrono::milliseconds limit) {
        const std::lock_guard lock(mutex_);
        limit_ = limit;
    }

    std::chrono::milliseconds limit() {
        const std::lock_guard lock(mutex_);
        return limit_;
    }

    std::uint64_t add(std::function<void()> cancel) {
        const std::lock_guard lock(mutex_);
        if (!running_) std::thread([this] { run(); }).detach();
        running_ = true;
        operations_.emplace(++last_, Operation{std::move(cancel), Steady::now() + limit_, false});
        if (operations_.size() == 1) changed_.notify_all();
        return last_;
    }

    void remove(std::uint64_t number) {
        const std::lock_guard lock(mutex_);
        operations_.erase(number);
    }

    bool ran_out(std::uint64_t number) {
        const std::lock_guard lock(mutex_);
        return operations_.at(number).ran_out;
    }

  private:
    struct Operation {
        std::function<void()> cancel;
        Steady::time_point end;
        bool ran_out;
    };

    // Operations end in the order of their numbers, but for those that ran out: they stay until they are
    // removed, and what keeps them is killed again and again.
    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return !operations_.empty(); });
            bool any = false;
            const auto now = Steady::now();
            for (auto& [number, operation] : operations_) {
                if (operation.end > now) continue;
                any = operation.ran_out = true;
                operation.cancel();
            }
            const auto limit = limit_;
            lock.unlock();
            if (any) kill_older_than(limit);
            std::this_thread::sleep_for(any ? slack / 2 : slack / 4);
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::uint64_t, Operation> operations_;
    std::uint64_t last_ = 0;
    std::chrono::milliseconds limit_ = std::chrono::minutes(5);  // a person may have to type a passphrase
    bool running_ = false;
};

}  // namespace

void mark_children() {
    if (!mark.empty()) return;
    const std::string value = to_hex(random_bytes(16));
    mark = std::string(mark_name) + "=" + value;
    ::setenv(mark_name, value.c_str(), 1);
}

void set_time_limit(std::chrono::milliseconds limit) {
    Watchdog::instance().set_limit(limit);
}

std::chrono::milliseconds time_limit() {
    return Watchdog::instance().limit();
}

TimeLimit::TimeLimit(std::function<void()> cancel) : number_(Watchdog::instance().add(std::move(cancel))) {}

TimeLimit::~TimeLimit() {
    Watchdog::instance().remove(number_);
}

bool TimeLimit::ran_out() const {
    return Watchdog::instance().ran_out(number_);
}

}  // namespace strongroom::gpg
