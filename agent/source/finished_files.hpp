// Which files of a folder their writer has closed, as the kernel tells it. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "common/base/unique_fd.hpp"

namespace strongroom::agent {

class FinishedFiles {
  public:
    // `last`: a file that is written all the time, as LAST.partial, and counts when the writer has ended.
    // Throws Error{internal} if the folder cannot be watched.
    FinishedFiles(const std::filesystem::path& folder, std::string last);

    // Takes in what happened. True if anything did.
    bool look();
    // The writer has ended: whatever the folder holds and was not taken is finished, too.
    void sweep();

    // In the order in which they were closed. A name may be out of date for a moment: its writer renames.
    struct Name {
        std::string name;
        std::int64_t size = 0;
    };
    const std::deque<Name>& waiting() const { return waiting_; }
    // The first of them is taken.
    void take();
    std::int64_t waiting_bytes() const;
    // Of files that are being written, now.
    std::int64_t growing_bytes() const;
    // Files that hold something, which after the end none should.
    std::set<std::string> not_empty() const;

  private:
    std::int64_t size_of(const std::string& name) const;
    void rename(const std::string& from, const std::string& to);

    std::filesystem::path folder_;
    std::string last_;
    UniqueFd events_;
    UniqueFd dir_;
    std::deque<Name> waiting_;
    std::set<std::string> growing_;
    std::set<std::string> taken_;
    std::map<std::uint32_t, std::string> moved_;  // by cookie: the name it had
};

}  // namespace strongroom::agent
