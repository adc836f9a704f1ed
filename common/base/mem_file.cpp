#include "common/base/mem_file.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/base/error.hpp"

namespace strongroom {

MemFile::MemFile(const char* name, std::size_t capacity) : fd_(::memfd_create(name, MFD_CLOEXEC)) {
    if (!fd_) throw system_error(ErrorKind::internal, "cannot make a memory file", errno);
    if (capacity > 0) resize(capacity);
}

MemFile::MemFile(MemFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MemFile& MemFile::operator=(MemFile&& other) noexcept {
    if (this != &other) {
        unmap();
        fd_ = std::move(other.fd_);
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

MemFile::~MemFile() {
    unmap();
}

void MemFile::unmap() {
    if (data_ != nullptr) ::munmap(data_, size_);
    data_ = nullptr;
    size_ = 0;
}

void MemFile::resize(std::size_t size) {
    unmap();
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0)
        throw system_error(ErrorKind::internal, "cannot size a memory file", errno);
    map_all();
}

void MemFile::map_all() {
    unmap();
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0)
        throw system_error(ErrorKind::internal, "cannot stat a memory file", errno);
    if (info.st_size == 0) return;
    const auto size = static_cast<std::size_t>(info.st_size);
    void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (mapped == MAP_FAILED) throw system_error(ErrorKind::internal, "cannot map a memory file", errno);
    data_ = static_cast<char*>(mapped);
    size_ = size;
}

void MemFile::rewind() const {
    if (::lseek(fd_.get(), 0, SEEK_SET) != 0)
        throw system_error(ErrorKind::internal, "cannot rewind a memory file", errno);
}

}  // namespace strongroom
