// One file of the server's binary log as it comes in, and pieces of it as a stream for the sealer.
#pragma once

#include <filesystem>
#include <string>

#include "common/backupset/streams.hpp"
#include "common/base/unique_fd.hpp"
#include "common/binlog/scanner.hpp"

namespace strongroom::agent {

class LogFile {
  public:
    // Opens nothing yet: advance() does, once `path` is there. One thread.
    explicit LogFile(std::filesystem::path path);

    const std::filesystem::path& path() const { return path_; }
    std::string name() const { return path_.filename().string(); }
    // Takes what was written since. False if nothing was, or it is not there yet. Throws Error{storage}, and
    // Error{corrupt} for what is no binary log.
    bool advance();
    const binlog::Scanner& scanner() const { return scanner_; }
    int fd() const { return fd_.get(); }

    // SHA-256 of the last 64 KiB before `offset`, or of all if that is less: another history of the server
    // has another one, by the times, ids and checksums in it. `offset` was read.
    std::string tail(std::int64_t offset) const;

  private:
    std::filesystem::path path_;
    UniqueFd fd_;
    binlog::Scanner scanner_;
};

// Bytes [first, last) of it, which were read and end behind a whole transaction.
class LogFileSource : public backupset::Source {
  public:
    LogFileSource(const LogFile& file, std::int64_t first, std::int64_t last, std::string server_version);
    std::size_t read(char* data, std::size_t size) override;
    Facts finish() override;
    void abort() noexcept override {}

  private:
    const LogFile& file_;
    std::int64_t at_;
    std::int64_t last_;
    std::string server_version_;
};

}  // namespace strongroom::agent
