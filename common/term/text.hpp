// Text for people: how wide it is on a terminal, and how sizes and rates read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace strongroom::term {

// Columns that UTF-8 text takes on a terminal (wide East Asian characters two, combining marks none). A byte
// that is no valid UTF-8 counts as one. Any thread.
std::size_t display_width(std::string_view text);

// Fills up with spaces to `width` columns; longer text stays as it is.
std::string pad_right(std::string_view text, std::size_t width);
std::string pad_left(std::string_view text, std::size_t width);

// "0 B", "999 B", "1.5 KiB", "32 MiB", "1.08 GiB": three significant digits, powers of 1024.
std::string format_bytes(std::int64_t bytes);

// "42 %" of an estimate: never over 99, since only the end says that all is done. `total` is over 0.
std::string format_estimate(std::int64_t done, std::int64_t total);

// "0:07", "12:05", "3:01:09": time left or spent, in seconds.
std::string format_seconds(std::int64_t seconds);

// "10.6 MiB in 0:06, 1.77 MiB/s": what was done in so many milliseconds.
std::string format_work(std::int64_t bytes, std::int64_t milliseconds);

}  // namespace strongroom::term
