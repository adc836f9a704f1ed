#include "common/base/mem_file.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/base/error.hpp"

namespace strongroom {

MemFile::MemFile(const char* name, std::size_t size) : fd_(::memfd_create(name, MFD_CLOEXEC)) {
    if (!fd_) throw system_error(ErrorKind::internal, "cannot make a memory file", errno);
    if (size > 0) resize(size);
}

MemFile::MemFile(MemFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

MemFile& MemFile::operator=(MemFile&& other) noexcept {
    if (this != &other) {
        unmap();
        fd_ = std::move(other.fd_);
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
        mapped_ = std::exchange(other.mapped_, 0);
    }
    return *this;
}

MemFile::~MemFile() {
    unmap();
}

void MemFile::unmap() {
    if (data_ != nullptr) ::munmap(data_, mapped_);
    data_ = nullptr;
    size_ = 0;
    mapped_ = 0;
}

void MemFile::map(std::size_t size) {
    if (size > mapped_) {
        void* mapped = data_ == nullptr
                           ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0)
                           : ::mremap(data_, mapped_, size, MREMAP_MAYMOVE);
        if (mapped == MAP_FAILED) throw system_error(ErrorKind::internal, "cannot map a memory file", errno);
        data_ = static_cast<char*>(mapped);
        mapped_ = size;
    }
    size_ = size;
}

void MemFile::resize(std::size_t size) {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0)
        throw system_error(ErrorKind::internal, "cannot size a memory file", errno);
    map(size);
}

void MemFile::map_all() {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0)
        throw system_error(ErrorKind::internal, "cannot stat a memory file", errno);
    map(static_cast<std::size_t>(info.st_size));
}

void MemFile::map_written() {
    const off_t position = ::lseek(fd_.get(), 0, SEEK_CUR);
    if (position < 0) throw system_error(ErrorKind::internal, "cannot size a memory file", errno);
    resize(static_cast<std::size_t>(position));
}

void MemFile::rewind() const {
    if (::lseek(fd_.get(), 0, SEEK_SET) != 0)
        throw system_error(ErrorKind::internal, "cannot rewind a memory file", errno);
}

}  // namespace strongroom
