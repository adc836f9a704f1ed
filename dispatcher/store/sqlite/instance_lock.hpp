// One dispatcher for one SQLite file: a lock on DATABASE-lock beside it, whatever link leads to the database.
//
// The kernel holds it for the life of the process, so a crash frees it. It is not one of SQLite's own locks:
// commands read and write beside the dispatcher that serves. (It cannot be on the database file itself:
// closing any descriptor of that file would drop SQLite's locks of this process.)
#pragma once

#include <filesystem>
#include <optional>

#include "common/base/file_lock.hpp"

namespace strongroom::dispatcher {

class InstanceLock {
  public:
    // Throws Error{busy}, naming the process, if another one holds it.
    static InstanceLock take(const std::filesystem::path& database);
    static std::optional<InstanceLock> try_take(const std::filesystem::path& database);

    // Whether some process serves this database now. Changes nothing.
    static bool is_held(const std::filesystem::path& database);

  private:
    explicit InstanceLock(FileLock lock) : lock_(std::move(lock)) {}
    FileLock lock_;
};

}  // namespace strongroom::dispatcher
