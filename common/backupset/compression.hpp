// One segment's compression: exactly one zstd frame, with its content size and a checksum in it. `method` is
// "zstd" or "none". The objects keep zstd's working memory from one segment to the next; each belongs to one
// thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/mem_file.hpp"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace strongroom::backupset {

inline constexpr int min_level = 1;
inline constexpr int max_level = 19;

// The most bytes that a Compressor makes of `plain_size` bytes, with either method.
std::size_t max_compressed(std::size_t plain_size);

class Compressor {
  public:
    // Throws Error{internal} if zstd refuses the level or has no memory.
    Compressor(const std::string& method, int level);
    // Replaces what is in `out`. Throws Error{internal}.
    void compress(BytesView plain, MemFile& out);

  private:
    struct Free {
        void operator()(ZSTD_CCtx_s* context) const;
    };
    std::unique_ptr<ZSTD_CCtx_s, Free> context_;  // null: "none"
};

class Decompressor {
  public:
    explicit Decompressor(const std::string& method);
    // Throws Error{corrupt} unless `compressed` is exactly one whole frame ("none": the bytes themselves)
    // that fills `plain` exactly; never writes more than that.
    void decompress(BytesView compressed, std::span<char> plain);

  private:
    struct Free {
        void operator()(ZSTD_DCtx_s* context) const;
    };
    std::unique_ptr<ZSTD_DCtx_s, Free> context_;  // null: "none"
};

}  // namespace strongroom::backupset
