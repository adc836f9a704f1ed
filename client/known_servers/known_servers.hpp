// Which identity key each server had when this user first saw it: known-servers.json in the user's
// configuration folder. It is the client's own memory, so that a dispatcher or a store that shows another key
// for the same server is noticed.
//
// Not shared between threads; the file is replaced as a whole.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"

namespace strongroom::client {

class KnownServers {
  public:
    // Reads the file; a missing one is an empty memory. Throws Error{insecure_file} if others can change or
    // read it, Error{config} if it is damaged (then nothing is known, and nothing must be assumed).
    explicit KnownServers(std::filesystem::path file);

    // The fingerprint of the server's identity key, if this user has seen the server.
    std::optional<std::string> identity_of(const std::string& server) const;

    // Remembers the identity, durably. True if the server is new. Throws Error{refused} if it is known by
    // another fingerprint.
    bool pin(const std::string& server, const std::string& identity, UtcTime now);

    // The server is known by path.front(), and verified changes lead from there to path.back(): by that it is
    // known from now on, durably; the former ones are remembered.
    void follow(const std::string& server, const std::vector<std::string>& path, UtcTime now);
    // Whether this was the server's key before a change that was followed.
    bool had(const std::string& server, const std::string& identity) const;

    // pin() without remembering a new one.
    void check(const std::string& server, const std::string& identity) const;

    const std::filesystem::path& file() const { return file_; }

  private:
    struct Known {
        std::string identity;
        std::string first_seen;
        std::vector<std::string> former{};
        std::string changed{};
    };
    void save() const;

    std::filesystem::path file_;
    std::map<std::string, Known> known_;
};

}  // namespace strongroom::client
