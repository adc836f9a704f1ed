// Temporary files and folders belong to a living process: it holds each under an flock, which the kernel lets
// go of when the process dies, however it dies. What nobody holds was left behind, and may be removed.
//
// On a file system without flock nothing is held and nothing counts as abandoned.
#pragma once

#include <filesystem>
#include <functional>

namespace strongroom {

// Holds the fresh temporary `fd` for as long as its open file description lives. False if a sweep took it in
// the moment before: make another one.
bool hold_temporary(int fd);

// Removes the file, or the folder with all that is in it; false if it is still there after half a second of
// trying. A helper process that is just starting or ending may still make or remove a file in it.
bool remove_patiently(const std::filesystem::path& path) noexcept;

// Removes the file, or the folder with all that is in it, if it is this user's and no process holds it; false
// otherwise. `before` is called when it is certain to go. Never follows a link.
bool remove_if_abandoned(const std::filesystem::path& path, const std::function<void()>& before = {});

}  // namespace strongroom
