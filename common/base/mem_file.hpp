// Bytes in an anonymous memory file (memfd_create): writable and readable as memory here, and as a plain file
// by a child process. A child's input and output then need no pipe, no thread and cannot deadlock.
#pragma once

#include <cstddef>

#include "common/base/bytes.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom {

class MemFile {
  public:
    // `name` shows in /proc/PID/fd only. `capacity` bytes are mapped; pages cost memory when touched.
    explicit MemFile(const char* name, std::size_t capacity = 0);
    MemFile(MemFile&& other) noexcept;
    MemFile& operator=(MemFile&& other) noexcept;
    ~MemFile();

    int fd() const { return fd_.get(); }

    // The mapped bytes, for filling in place. Valid until resize() or map_all().
    char* data() { return data_; }
    std::size_t size() const { return size_; }
    BytesView view() const { return {data_, size_}; }

    // Grows or cuts file and mapping. Cut pages are given back to the system.
    void resize(std::size_t size);
    // After a child wrote to fd(): maps the whole file as it is now.
    void map_all();
    // Moves the descriptor's position to the start, for a child that reads it as stdin.
    void rewind() const;

  private:
    void unmap();
    UniqueFd fd_;
    char* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace strongroom
