// A target that is an open file descriptor: standard output, a pipe, a file.
#pragma once

#include <string>

#include "common/backupset/streams.hpp"

namespace strongroom::backupset {

// Writes to a descriptor that the caller owns and keeps open. A reader that went away (EPIPE) is an
// Error{storage}, never a signal. commit() also makes a regular file durable (fsync).
class FdTarget : public Target {
  public:
    // `name` is what errors call it: "standard output".
    FdTarget(int fd, std::string name);
    void write(const char* data, std::size_t size) override;
    void commit() override;

  private:
    int fd_;
    std::string name_;
};

}  // namespace strongroom::backupset
