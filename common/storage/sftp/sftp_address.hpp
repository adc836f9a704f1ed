// "sftp://USER@HOST[:PORT]/absolute/folder".
#pragma once

#include <string>
#include <string_view>

namespace strongroom::storage {

inline constexpr std::string_view sftp_scheme = "sftp://";

struct SftpAddress {
    std::string user;
    std::string server;  // "sftp://host:port", as libcurl takes it
    std::string root;    // absolute, without a slash at its end
    std::string label() const;
};

// Throws Error{config}: no user, a password, no absolute folder, characters that would need quoting.
SftpAddress parse_sftp_url(const std::string& url);

}  // namespace strongroom::storage
