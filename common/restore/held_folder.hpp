// Folders with decrypted data that a restore works in, named .strongroom-WHAT.XXXXXX. A living process holds
// each (common/base/temporary_owner.hpp): what a killed one left can be told from what is in use.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "common/base/unique_fd.hpp"

namespace strongroom::restore {

// A fresh one, mode 0700. The destructor removes it, unless it was given another name.
class HeldFolder {
  public:
    // Throws Error{storage}.
    HeldFolder(const std::filesystem::path& parent, const std::string& what);
    ~HeldFolder();
    HeldFolder(const HeldFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
    UniqueFd held_;
};

// Removes those in `parent` whose process was killed, and ends a private server that still runs in one (in
// its folder `run`); how many. Those of living processes, and of other users, stay.
std::size_t remove_abandoned_folders(const std::filesystem::path& parent);

}  // namespace strongroom::restore
