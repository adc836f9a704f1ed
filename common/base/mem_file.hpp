// Bytes in an anonymous memory file (memfd_create): writable and readable as memory here, and as a plain file
// by a child process. A child's input and output then need no pipe, no thread and cannot deadlock.
//
// Made to be used again: pages and mapping stay when the size changes, because fresh pages cost more than
// most of what is done with them.
#pragma once

#include <cstddef>

#include "common/base/bytes.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom {

class MemFile {
  public:
    // `name` shows in /proc/PID/fd only. `size` bytes are mapped; pages cost memory when touched.
    explicit MemFile(const char* name, std::size_t size = 0);
    MemFile(MemFile&& other) noexcept;
    MemFile& operator=(MemFile&& other) noexcept;
    ~MemFile();

    int fd() const { return fd_.get(); }

    // The bytes, for filling in place. Valid until the next function that is not const.
    char* data() { return data_; }
    std::size_t size() const { return size_; }
    BytesView view() const { return {data_, size_}; }

    // Grows or cuts the file. Bytes below both sizes stay; cut pages are given back to the system, new ones
    // are zero.
    void resize(std::size_t size);
    // After a child wrote to fd(): the file as it is now.
    void map_all();
    // The same for a file that was used before: the bytes up to the descriptor's position, which is where a
    // child that wrote from rewind() on has stopped. What lies behind is of the former use, and is cut.
    void map_written();
    // Moves the descriptor's position to the start, for a child that reads or writes it.
    void rewind() const;

  private:
    void map(std::size_t size);
    void unmap();
    UniqueFd fd_;
    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t mapped_ = 0;  // bytes of address space at data_; only the first size_ of them may be touched
};

}  // namespace strongroom
