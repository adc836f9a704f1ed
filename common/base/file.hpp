// Files: complete or missing, private by default, never through a link that somebody else placed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom {

// Reads a whole regular file. Error{not_found} if missing, Error{protocol} if longer than `max`.
Bytes read_file(const std::filesystem::path& path, std::size_t max);

// A write is complete or missing: temporary name in the same folder (O_EXCL|O_NOFOLLOW), fsync, rename, fsync
// of the folder. Large page-aligned data passes the page cache by. Throws Error{storage} and removes the
// temporary file on any failure. `mode` defaults to 0600.
void write_file_atomic(const std::filesystem::path& path, BytesView bytes, unsigned mode = 0600);

// The same without a sync, for what may be lost with the machine: readers still see all of it or the former.
void replace_file(const std::filesystem::path& path, BytesView bytes, unsigned mode = 0600);

// A new file that is written piece by piece and gets its name only when it is complete; until then a
// temporary file of this process, which the destructor removes. Never takes the place of another file. What a
// killed process left of the same one goes.
class NewFile {
  public:
    // Throws Error{storage}.
    explicit NewFile(std::filesystem::path path, unsigned mode = 0600);
    ~NewFile();
    NewFile(const NewFile&) = delete;

    int fd() const { return fd_.get(); }  // for writing
    // fsync, then the name, then fsync of the folder. Throws Error{exists} or Error{storage}.
    void commit();

  private:
    std::filesystem::path path_;
    UniqueFd fd_;
    std::filesystem::path temporary_;
};

// Removes the temporary files in `folder` and below that a writer of this header left behind whose process
// was killed; how many. Those of living processes stay. A folder that is not there or cannot be read has
// none.
std::size_t remove_abandoned_temporaries(const std::filesystem::path& folder);

// Makes the folder (and its parents) with 0700; refuses one that exists but is not ours or is open to others.
void make_private_dir(const std::filesystem::path& path);

// Throws Error{insecure_file} unless `path` is a regular file, owned by us or root, and closed to group and
// others (S26). Throws Error{not_found} if it does not exist. A link is followed only if it is ours.
void require_private_file(const std::filesystem::path& path);

// fsync of a folder: makes a rename or unlink in it durable.
void sync_dir(const std::filesystem::path& path);

// A fresh private folder under `parent` (default: $TMPDIR or /tmp), removed with everything in it by the
// destructor. The name is short because gpg's sockets need short paths.
class TempDir {
  public:
    explicit TempDir(const std::filesystem::path& parent = {}, const std::string& prefix = "sr");
    ~TempDir();
    TempDir(TempDir&& other) noexcept;
    TempDir& operator=(TempDir&&) = delete;
    TempDir(const TempDir&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace strongroom
