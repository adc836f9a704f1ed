// Hexadecimal, base64 (RFC 4648, with padding) and SHA-256, all through OpenSSL where it has them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"

namespace strongroom {

std::string to_hex(BytesView bytes);  // lower case
std::string to_base64(BytesView bytes);
Bytes from_base64(std::string_view text);  // throws Error{protocol} unless canonical

std::string sha256_hex(BytesView bytes);

// Compares without an early exit, for token hashes.
bool equal_constant_time(BytesView a, BytesView b);

}  // namespace strongroom
