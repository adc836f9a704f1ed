// Folders that a private server works in: space, and whether its user may use them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/restore/private_server.hpp"

namespace strongroom::restore {

// Bytes that are free for this user. Throws Error{storage}.
std::int64_t free_bytes(const std::filesystem::path& folder);

// Throws Error{config} with `hint` unless `user` may enter `folder` and all folders above it.
void require_reachable(const std::filesystem::path& folder, const ServerUser& user, const std::string& hint);

// Gives these, and all in them, to server_user(). Throws Error{storage}.
void hand_over(const std::vector<std::filesystem::path>& folders);

}  // namespace strongroom::restore
