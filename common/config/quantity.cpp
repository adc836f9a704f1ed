#include "common/config/quantity.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::config {
namespace {

struct Unit {
    std::string_view name;  // lower case
    double factor;
};

constexpr double kib = 1024;
constexpr std::array byte_units{Unit{"", 1},
                                Unit{"b", 1},
                                Unit{"k", kib},
                                Unit{"kib", kib},
                                Unit{"kb", 1e3},
                                Unit{"m", kib* kib},
                                Unit{"mib", kib* kib},
                                Unit{"mb", 1e6},
                                Unit{"g", kib* kib* kib},
                                Unit{"gib", kib* kib* kib},
                                Unit{"gb", 1e9},
                                Unit{"t", kib* kib* kib* kib},
                                Unit{"tib", kib* kib* kib* kib},
                                Unit{"tb", 1e12}};
constexpr std::array duration_units{Unit{"", 1},   Unit{"s", 1},    Unit{"min", 60},
                                    Unit{"m", 60}, Unit{"h", 3600}, Unit{"d", 86400}};
constexpr double largest = 1e15;

[[noreturn]] void refuse(std::string_view text, const char* expected) {
    throw Error(ErrorKind::usage, "\"" + printable_line(text, 40) + "\" is not " + expected);
}

template <std::size_t N>
std::int64_t parse(std::string_view text, const std::array<Unit, N>& units, const char* expected) {
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (failure != std::errc() || !(number >= 0)) refuse(text, expected);
    std::string unit(rest, end);
    unit.erase(0, std::min(unit.find_first_not_of(' '), unit.size()));
    std::ranges::transform(unit, unit.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto found = std::ranges::find(units, unit, &Unit::name);
    if (found == units.end() || number * found->factor > largest) refuse(text, expected);
    return std::llround(number * found->factor);
}

template <class Parse>
CLI::Validator transformer(Parse parse_text, const char* type) {
    return CLI::Validator(
        [parse_text](std::string& text) {
            try {
                text = std::to_string(parse_text(text));
                return std::string();
            } catch (const Error& error) {
                return error.text();
            }
        },
        type);
}

}  // namespace

std::int64_t parse_rate(std::string_view text) {
    if (text == "off") return 0;
    std::string_view bytes = text;
    if (bytes.ends_with("/s")) bytes.remove_suffix(2);
    const std::int64_t rate = parse(bytes, byte_units, "a rate like 50MiB/s, or off");
    if (rate != 0 && rate < 1024) throw Error(ErrorKind::usage, "a rate is at least 1KiB/s");
    return rate;
}

std::int64_t parse_size(std::string_view text) {
    return text == "off" ? 0 : parse(text, byte_units, "a size like 500GiB, or off");
}

std::int64_t parse_duration(std::string_view text) {
    return parse(text, duration_units, "a time like 90s, 10min, 2h or 30d");
}

CLI::Validator as_rate() {
    return transformer(parse_rate, "RATE");
}

CLI::Validator as_size() {
    return transformer(parse_size, "SIZE");
}

CLI::Validator as_duration() {
    return transformer(parse_duration, "TIME");
}

}  // namespace strongroom::config
