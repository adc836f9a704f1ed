#include "common/base/ids.hpp"

#include <openssl/rand.h>

#include <algorithm>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"

namespace strongroom {
namespace {

constexpr std::string_view log_suffix = "-log";

bool is_lower_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}
bool is_upper_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

Bytes random_bytes(std::size_t count) {
    Bytes out(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) != 1)
        throw Error(ErrorKind::internal, "the system's random number generator failed");
    return out;
}

std::string random_uuid() {
    Bytes raw = random_bytes(16);
    raw[6] = static_cast<char>((static_cast<unsigned char>(raw[6]) & 0x0FU) | 0x40U);
    raw[8] = static_cast<char>((static_cast<unsigned char>(raw[8]) & 0x3FU) | 0x80U);
    std::string hex = to_hex(raw);
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) hex.insert(dash, 1, '-');
    return hex;
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_lower_hex(text[i])) return false;
    }
    return true;
}

bool is_fingerprint(std::string_view text) {
    return text.size() == 40 && std::ranges::all_of(text, is_upper_hex);
}

std::string parse_fingerprint(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == ' ' || c == '\t') continue;
        out += (c >= 'a' && c <= 'f') ? static_cast<char>(c - 'a' + 'A') : c;
    }
    if (!is_fingerprint(out))
        throw Error(ErrorKind::usage, "not a full OpenPGP fingerprint (40 hexadecimal digits)",
                    "Short key ids and e-mail addresses can be forged. See `gpg --list-keys --with-colons`, "
                    "lines \"fpr\".");
    return out;
}

std::string group_fingerprint(std::string_view fingerprint) {
    std::string out;
    for (std::size_t i = 0; i < fingerprint.size(); ++i) {
        if (i != 0 && i % 4 == 0) out += ' ';
        out += fingerprint[i];
    }
    return out;
}

std::string make_set_id(UtcTime time) {
    return format_compact(time) + "-" + to_hex(random_bytes(4));
}

bool is_set_id(std::string_view text) {
    if (text.size() != 25 || text[8] != 'T' || text[15] != 'Z' || text[16] != '-') return false;
    return std::ranges::all_of(text.substr(0, 8), is_digit) &&
           std::ranges::all_of(text.substr(9, 6), is_digit) &&
           std::ranges::all_of(text.substr(17), is_lower_hex);
}

std::string make_log_id(UtcTime time) {
    return make_set_id(time) + std::string(log_suffix);
}

bool is_log_id(std::string_view text) {
    return text.ends_with(log_suffix) && is_set_id(text.substr(0, text.size() - log_suffix.size()));
}

bool is_set_or_log_id(std::string_view text) {
    return is_set_id(text) || is_log_id(text);
}

bool is_sha256_hex(std::string_view text) {
    return text.size() == 64 && std::ranges::all_of(text, is_lower_hex);
}

}  // namespace strongroom
