#include "dispatcher/store/sqlite/instance_lock.hpp"

#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/file.hpp"

namespace strongroom::dispatcher {
namespace {
namespace fs = std::filesystem;

fs::path lock_file(const fs::path& database) {
    std::error_code failure;
    const fs::path real = fs::canonical(database, failure);
    if (failure)
        throw Error(ErrorKind::not_found, "cannot find " + database.string() + ": " + failure.message());
    return real.string() + "-lock";
}

}  // namespace

std::optional<InstanceLock> InstanceLock::try_take(const fs::path& database) {
    auto lock = FileLock::try_take(lock_file(database));
    if (!lock) return std::nullopt;
    // Only for people; a full disk is no reason to refuse here.
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock->fd(), 0) == 0) [[maybe_unused]]
        const auto written = ::pwrite(lock->fd(), pid.data(), pid.size(), 0);
    return InstanceLock(std::move(*lock));
}

InstanceLock InstanceLock::take(const fs::path& database) {
    // A command that asks is_held() holds the lock for a moment.
    for (int attempt = 0; attempt < 10; ++attempt) {
        if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        auto taken = try_take(database);
        if (taken) return std::move(*taken);
    }
    std::string pid = read_file(lock_file(database), 100);
    while (!pid.empty() && pid.back() == '\n') pid.pop_back();
    throw Error(
        ErrorKind::busy,
        "another strongroom-dispatcher (process " + pid + ") serves " + database.string() + " already",
        "One dispatcher serves one database. Stop that one first, or choose another --state-dir.");
}

bool InstanceLock::is_held(const fs::path& database) {
    return FileLock::is_held(lock_file(database));
}

}  // namespace strongroom::dispatcher
