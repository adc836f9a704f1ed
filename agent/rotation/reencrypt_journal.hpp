// How far the set is that is written anew now: a file of JSON lines in the state folder, so that terabytes
// are not read and written a second time after a crash. It holds digests and sizes, no secret.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/backupset/reencrypt.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom::agent {

// For one process at a time (the rotation lock), and one call at a time.
class ReencryptJournal {
  public:
    explicit ReencryptJournal(std::filesystem::path file) : file_(std::move(file)) {}

    // What was begun for `old_set`; none if there is nothing, or nothing that can be relied on. A line that a
    // crash cut is as if it were not there.
    std::optional<backupset::BegunReencryption> read(const std::string& old_set) const;
    // Each is on disk when it returns. Throws Error{storage}.
    void begin(const std::string& old_set, const backupset::BegunReencryption& begun);
    void add(const backupset::Segment& segment);
    void clear();

  private:
    void append(const std::string& line);

    std::filesystem::path file_;
    UniqueFd fd_;  // for adding
};

}  // namespace strongroom::agent
