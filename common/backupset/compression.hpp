// One segment's compression: exactly one zstd frame, with its content size and a checksum in it.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/mem_file.hpp"

namespace strongroom::backupset {

inline constexpr int min_level = 1;
inline constexpr int max_level = 19;

// `method` is "zstd" or "none". Takes the plain bytes and gives their memory back as early as it can. Any
// thread. Throws Error{internal}.
MemFile compress(const std::string& method, int level, MemFile plain);

// The most bytes that compress() makes of `plain_size` bytes, with either method.
std::size_t max_compressed(std::size_t plain_size);

// Throws Error{corrupt} unless `compressed` is exactly one whole frame ("none": the bytes themselves) that
// holds exactly `plain_size` bytes; never writes more than that.
MemFile decompress(const std::string& method, MemFile compressed, std::size_t plain_size);

}  // namespace strongroom::backupset
