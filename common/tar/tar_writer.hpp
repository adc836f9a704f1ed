// Plain files -> a tar stream (GNU's format: names are raw bytes, any size), which every tar reads. In
// memory, a piece at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"

namespace strongroom::tar {

// Used by one thread at a time. Throws Error{internal} for what libarchive refuses.
class TarWriter {
  public:
    TarWriter();
    ~TarWriter();
    TarWriter(const TarWriter&) = delete;

    // A plain file, mode 0600, of `size` bytes, which follow by add().
    void begin(const std::string& name, std::int64_t size, UtcTime modified);
    void add(BytesView bytes);
    // Throws Error{internal} unless exactly `size` bytes were added.
    void end();
    // The end of the archive; nothing may follow.
    void finish();
    // What was written since the last call.
    Bytes take();

  private:
    struct Archive;
    std::unique_ptr<Archive> archive_;
    std::int64_t missing_ = 0;  // bytes of the file at hand
};

}  // namespace strongroom::tar
