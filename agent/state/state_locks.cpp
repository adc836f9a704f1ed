// The locks of the state folder: who may work in it at the same time.
#include <chrono>
#include <thread>

#include "agent/state/state_dir.hpp"
#include "common/base/error.hpp"

namespace strongroom::agent {

std::optional<FileLock> StateDir::try_lock_backup() const {
    return FileLock::try_take(path_ / "backup.lock");
}

FileLock StateDir::wait_to_lock_backup(const std::function<void()>& waiting) const {
    for (;;) {
        if (auto lock = try_lock_backup()) return std::move(*lock);
        waiting();
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
}

FileLock StateDir::lock_logs() const {
    return FileLock::take(path_ / "logs.lock");
}

StateDir::KeyLocks StateDir::wait_to_lock_keys(const std::function<void()>& waiting) const {
    auto backup = wait_to_lock_backup(waiting);
    for (;;) {
        if (auto logs = FileLock::try_take(path_ / "logs.lock")) return {std::move(backup), std::move(*logs)};
        waiting();
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
}

bool StateDir::is_backup_running() const {
    return FileLock::is_held(path_ / "backup.lock");
}

FileLock StateDir::lock_backup() const {
    auto lock = try_lock_backup();
    // `status` looks at the lock by holding it for an instant: that is no backup.
    for (int attempt = 0; !lock && attempt < 5; ++attempt) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        lock = try_lock_backup();
    }
    if (!lock)
        throw Error(ErrorKind::busy, "another backup of this server is running",
                    "Wait for its end (strongroom-agent status), then try again.");
    return std::move(*lock);
}

FileLock StateDir::lock_rotation() const {
    auto lock = FileLock::try_take(path_ / "rotate.lock");
    if (!lock)
        throw Error(ErrorKind::busy, "another rotation of this server's keys is running",
                    "Wait for its end (strongroom-agent status).");
    return std::move(*lock);
}

FileLock StateDir::lock_escrow() const {
    constexpr int tries = 600;  // a deposit ends when its store and the dispatcher answered
    for (int i = 0; i < tries; ++i) {
        if (auto lock = FileLock::try_take(path_ / "escrow.lock")) return std::move(*lock);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    throw Error(ErrorKind::busy, "another deposit of an escrow record is running",
                "Wait for its end, then try again.");
}

FileLock StateDir::lock_maintenance() const {
    auto lock = FileLock::try_take(path_ / "maintenance.lock");
    if (!lock)
        throw Error(ErrorKind::busy, "a verification or pruning of this server's sets is running",
                    "Wait for its end.");
    return std::move(*lock);
}

FileLock StateDir::lock_run() const {
    auto lock = FileLock::try_take(path_ / "run.lock");
    if (!lock)
        throw Error(ErrorKind::busy, "another strongroom-agent run uses " + path_.string(),
                    "One daemon for each state folder; see systemctl status strongroom-agent.");
    return std::move(*lock);
}

}  // namespace strongroom::agent
