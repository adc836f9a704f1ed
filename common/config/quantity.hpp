// Rates, sizes and durations as people write them, in options and configuration files.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string_view>

namespace strongroom::config {

// Bytes per second: "50MiB/s", "1.5GB", "800 KiB/s", "65536"; KiB and K are 1024, kB 1000. "off" and "0": 0,
// no limit. Throws Error{usage} that says what is expected.
std::int64_t parse_rate(std::string_view text);

// Bytes: "500GiB", "65536"; units and "off" as for rates. Throws Error{usage}.
std::int64_t parse_size(std::string_view text);

// Seconds: "90", "90s", "10min", "2h", "30d". Throws Error{usage}.
std::int64_t parse_duration(std::string_view text);

// For Option::transform(): the option's integer takes the number that the text says.
CLI::Validator as_rate();
CLI::Validator as_size();
CLI::Validator as_duration();

}  // namespace strongroom::config
