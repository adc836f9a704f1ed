#include "common/base/large_buffer.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "common/base/error.hpp"

namespace strongroom {
namespace {

constexpr std::size_t huge_page = 2U << 20U;

// A huge page starts at a multiple of its size, which not every kernel's mmap sees to: map more, cut the
// ends.
char* map_aligned(std::size_t size) {
    void* mapped =
        ::mmap(nullptr, size + huge_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw system_error(ErrorKind::internal, "cannot get memory", errno);
    char* const start = static_cast<char*>(mapped);
    const std::size_t before = (huge_page - reinterpret_cast<std::uintptr_t>(start) % huge_page) % huge_page;
    if (before > 0) ::munmap(start, before);
    if (before < huge_page) ::munmap(start + before + size, huge_page - before);
    return start + before;
}

}  // namespace

LargeBuffer::LargeBuffer(std::size_t capacity)
    : capacity_((capacity + huge_page - 1) / huge_page * huge_page) {
    if (capacity_ == 0) return;
    data_ = map_aligned(capacity_);
    // Both are wishes: without them the buffer is slower, or in a dump.
    (void)::madvise(data_, capacity_, MADV_HUGEPAGE);
    (void)::madvise(data_, capacity_, MADV_DONTDUMP);
}

LargeBuffer::LargeBuffer(LargeBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), capacity_(std::exchange(other.capacity_, 0)) {}

LargeBuffer& LargeBuffer::operator=(LargeBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    return *this;
}

LargeBuffer::~LargeBuffer() {
    if (data_ != nullptr) ::munmap(data_, capacity_);
}

}  // namespace strongroom
