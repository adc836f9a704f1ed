// Plain memory for large pieces of data that is used again and again: anonymous, in huge pages where the
// system has them (fewer page faults, fewer TLB misses: zstd runs a quarter faster in them), and never part
// of a core dump.
#pragma once

#include <cstddef>

namespace strongroom {

class LargeBuffer {
  public:
    LargeBuffer() = default;
    // Memory is taken when it is touched. Throws Error{internal} if there is no address space.
    explicit LargeBuffer(std::size_t capacity);
    LargeBuffer(LargeBuffer&& other) noexcept;
    LargeBuffer& operator=(LargeBuffer&& other) noexcept;
    ~LargeBuffer();

    char* data() { return data_; }
    const char* data() const { return data_; }
    std::size_t capacity() const { return capacity_; }

  private:
    char* data_ = nullptr;
    std::size_t capacity_ = 0;
};

}  // namespace strongroom
