// Locks between processes: an flock on a file made for it.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "common/base/unique_fd.hpp"

namespace strongroom {

// An flock that is held while this object lives. The kernel lets go of it when the process dies. Whoever
// takes it makes the lock file (0600) if it is missing; the file stays. All throw Error{storage}.
class FileLock {
  public:
    // nullopt if somebody else holds it.
    static std::optional<FileLock> try_take(const std::filesystem::path& path);
    // Waits for it; for locks that are held for a moment only.
    static FileLock take(const std::filesystem::path& path);
    // Whether somebody holds it now. Changes nothing; two who ask do not take each other for a holder.
    static bool is_held(const std::filesystem::path& path);

    int fd() const { return fd_.get(); }  // of the lock file, for notes in it

  private:
    explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

}  // namespace strongroom
