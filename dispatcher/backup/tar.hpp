// The smallest part of tar (POSIX ustar) that a backup of the dispatcher needs: regular files with short
// names, in order. Any tar unpacks what is written here; what is read must be exactly of this shape.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/bytes.hpp"

namespace strongroom::dispatcher {

class TarWriter {
  public:
    using Sink = std::function<void(BytesView)>;
    explicit TarWriter(Sink sink) : sink_(std::move(sink)) {}

    void add(const std::string& name, BytesView content);
    // For content that comes in pieces: begin, `size` bytes in total, end.
    void begin(const std::string& name, std::uint64_t size);
    void write(BytesView piece);
    void end();
    void finish();  // the two empty blocks at the end

  private:
    Sink sink_;
    std::uint64_t left_ = 0;
    std::uint64_t size_ = 0;
};

class TarReader {
  public:
    // Fills the buffer as far as it can; fewer bytes than asked for: the stream has ended.
    using Source = std::function<std::size_t(char* buffer, std::size_t size)>;
    explicit TarReader(Source source) : source_(std::move(source)) {}

    struct Entry {
        std::string name;
        std::uint64_t size = 0;
    };
    // Throws Error{corrupt} unless the next entry is a regular file of this name and at most `max` bytes.
    Entry next(const std::string& name, std::uint64_t max);
    void read(const Entry& entry, const std::function<void(BytesView)>& sink);
    Bytes read(const Entry& entry);
    void finish();  // throws unless the archive ends here

  private:
    void read_exactly(char* buffer, std::size_t size);
    Source source_;
};

}  // namespace strongroom::dispatcher
