// A private sshd on loopback for one test, with its own host key, one user key and the SFTP subsystem only.
// As root it serves root; else the user of the tests. The destructor stops it by its own pid. Used from one
// thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/base/file.hpp"
#include "common/base/subprocess.hpp"
#include "common/storage/open/store_settings.hpp"

namespace strongroom::test {

class SftpServer {
  public:
    SftpServer();

    std::string url(const std::string& folder) const;  // of a folder below folder()/files
    storage::StoreSettings settings() const;
    std::filesystem::path files() const { return folder_.path() / "files"; }
    std::filesystem::path folder() const { return folder_.path(); }

    void stop() { process_.reset(); }  // as a crash
    void start();
    // A new host key, as of another machine that answers in its place.
    void change_host_key();

  private:
    TempDir folder_;
    int port_ = 0;
    std::optional<Subprocess> process_;
};

}  // namespace strongroom::test
