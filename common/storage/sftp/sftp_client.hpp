// Files on an SFTP server, through libcurl: whole files up and down, folder lists, and the few commands of
// libcurl's quotes. Paths are absolute and of [A-Za-z0-9._/-] only. Any thread; one connection for each
// operation under way.
#pragma once

#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/mem_file.hpp"
#include "common/net/curl_handle.hpp"
#include "common/storage/sftp/sftp_address.hpp"
#include "common/storage/sftp/sftp_settings.hpp"

namespace strongroom::storage {

struct SftpEntry {
    std::string name;
    bool folder = false;  // else a regular file; links and all others are left out
    std::size_t size = 0;
};

// One line of a folder's list in the form of `ls -l`, which OpenSSH and most servers send. False for what is
// neither a regular file nor a folder, or no such line.
bool parse_sftp_line(std::string_view line, SftpEntry& out);

// Errors: not_found (file or folder), forbidden (login, permission), unauthenticated (host key), storage (the
// server's disk, a command), network (all else).
class SftpClient {
  public:
    // Throws Error{config} or Error{insecure_file} for the key or the known hosts.
    SftpClient(SftpAddress address, SftpSettings settings);

    // Makes missing folders.
    void upload(const std::string& path, BytesView bytes);
    // Refuses more than `max` bytes with Error{corrupt} before reading them.
    void download(const std::string& path, std::size_t max, MemFile& into);
    std::vector<SftpEntry> list(const std::string& folder);
    // rename, rm, rmdir with quoted paths; a '*' in front: a failure does not matter.
    void run(const std::vector<std::string>& commands);

    const SftpAddress& address() const { return address_; }
    const SftpSettings& settings() const { return settings_; }

  private:
    struct Transfer;
    void perform(net::CurlHandle& curl, Transfer& transfer, const std::string& path);

    const SftpAddress address_;
    const SftpSettings settings_;
    net::CurlPool pool_;
};

}  // namespace strongroom::storage
