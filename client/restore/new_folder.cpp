#include "client/restore/new_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/unique_fd.hpp"
#include "common/restore/held_folder.hpp"

namespace strongroom::client {

namespace fs = std::filesystem;

fs::path free_folder(const fs::path& given) {
    const fs::path folder =
        fs::absolute(given.has_filename() ? given : given.parent_path()).lexically_normal();
    const auto status = fs::symlink_status(folder);
    if (!fs::exists(status)) {
        if (!fs::is_directory(folder.parent_path()))
            throw Error(ErrorKind::not_found, "there is no folder " + folder.parent_path().string(),
                        "Make it first, or choose another folder.");
    } else if (!fs::is_directory(status) || !fs::is_empty(folder)) {
        throw Error(ErrorKind::exists, folder.string() + " exists and is not an empty folder",
                    "Nothing was changed. Choose a new folder, or move the old data away yourself.");
    }
    return folder;
}

void remove_left(const RestoreFrom& from, const fs::path& parent) {
    if (const auto count = restore::remove_abandoned_folders(parent); count > 0)
        from.say("removed from " + parent.string() + " what " + std::to_string(count) +
                 " restore(s) left that were killed");
}

void give_name(const fs::path& work, const fs::path& folder) {
    const UniqueFd fd(::open(work.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::syncfs(fd.get()) != 0)
        throw system_error(ErrorKind::storage, "cannot make " + work.string() + " durable", errno);
    // Replaces an empty folder.
    if (::rename(work.c_str(), folder.c_str()) != 0)
        throw system_error(ErrorKind::storage, "cannot give the restored folder its name " + folder.string(),
                           errno);
    sync_dir(folder.parent_path());
}

}  // namespace strongroom::client
