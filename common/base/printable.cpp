#include "common/base/printable.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>

namespace strongroom {
namespace {

struct CodePoint {
    std::uint32_t value;
    std::size_t length;
};

// Decodes one code point; nullopt for overlong, surrogate, truncated or out-of-range sequences (RFC 3629).
std::optional<CodePoint> decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return CodePoint{lead, 1};
    std::size_t length = 0;
    std::uint32_t value = 0;
    std::uint32_t smallest = 0;
    if ((lead & 0xE0) == 0xC0) {
        length = 2, value = lead & 0x1FU, smallest = 0x80;
    } else if ((lead & 0xF0) == 0xE0) {
        length = 3, value = lead & 0x0FU, smallest = 0x800;
    } else if ((lead & 0xF8) == 0xF0) {
        length = 4, value = lead & 0x07U, smallest = 0x10000;
    } else {
        return std::nullopt;
    }
    if (text.size() < length) return std::nullopt;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return std::nullopt;
        value = (value << 6) | (byte(i) & 0x3FU);
    }
    if (value < smallest || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return std::nullopt;
    return CodePoint{value, length};
}

bool is_control(std::uint32_t c) {
    if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return true;
    const bool bidi = c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
                      (c >= 0x2066 && c <= 0x2069);
    return bidi || c == 0x2028 || c == 0x2029 || c == 0xFEFF;
}

void append_escaped(std::string& out, std::string_view bytes) {
    for (const char c : bytes) {
        std::array<char, 8> buffer{};
        std::snprintf(buffer.data(), buffer.size(), "\\x%02x", static_cast<unsigned char>(c));
        out += buffer.data();
    }
}

std::string escape(std::string_view text, bool keep_newline) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto point = decode(text);
        const std::size_t length = point ? point->length : 1;
        const bool newline = point && point->value == '\n' && keep_newline;
        if (point && (newline || !is_control(point->value))) {
            out += text.substr(0, length);
        } else {
            append_escaped(out, text.substr(0, length));
        }
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace

std::string printable(std::string_view text) {
    return escape(text, true);
}

std::string printable_line(std::string_view text, std::size_t max) {
    if (text.size() <= max) return escape(text, false);
    return escape(text.substr(0, max), false) + "...";
}

std::string_view last_line(std::string_view text) {
    const auto last = text.find_last_not_of(" \t\r\n");
    if (last == std::string_view::npos) return {};
    text = text.substr(0, last + 1);
    return text.substr(text.find_last_of("\r\n") + 1);  // npos + 1 is 0
}

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto point = decode(text);
        if (!point) return false;
        text.remove_prefix(point->length);
    }
    return true;
}

}  // namespace strongroom
