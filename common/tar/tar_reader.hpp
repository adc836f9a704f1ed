// A tar stream that comes in pieces -> its files, one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/bytes.hpp"

namespace strongroom::tar {

// What becomes of the files. Called on a thread of the reader, one call at a time, while write() or finish()
// waits; what is thrown comes out there.
class TarFiles {
  public:
    virtual ~TarFiles() = default;
    virtual void begin(const std::string& name, std::int64_t size) = 0;
    virtual void data(BytesView bytes) = 0;
    virtual void end() = 0;
};

class TarReader {
  public:
    explicit TarReader(TarFiles& files);
    ~TarReader();
    TarReader(const TarReader&) = delete;

    // Returns when all of it was read. Throws Error{corrupt} for what is no tar, Error{refused} for an entry
    // that is no plain file or has holes, and what `files` throws.
    void write(BytesView bytes);
    // The end of the stream. Throws Error{corrupt} if it is in the middle of a file.
    void finish();

  private:
    class Handover;
    std::unique_ptr<Handover> handover_;
};

}  // namespace strongroom::tar
