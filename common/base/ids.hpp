// Identifiers and the shapes that foreign text must have before it is used as one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"

namespace strongroom {

// Bytes from the operating system's generator (through OpenSSL). Throws Error{internal} if it fails.
Bytes random_bytes(std::size_t count);

// RFC 9562 version 4, lower case.
std::string random_uuid();
bool is_uuid(std::string_view text);  // lower-case 8-4-4-4-12

// A full OpenPGP v4 fingerprint: 40 upper-case hexadecimal digits. Key ids are never accepted anywhere.
bool is_fingerprint(std::string_view text);
// Accepts spaces and lower case, as people paste them; throws Error{usage} if it is not a full fingerprint.
std::string parse_fingerprint(std::string_view text);
// "ABCD 1234 ..." in groups of four, for people.
std::string group_fingerprint(std::string_view fingerprint);

// "20261122T013700Z-3f9a2c1b": sorts by time.
std::string make_set_id(UtcTime time);
bool is_set_id(std::string_view text);
// "20261122T013700Z-3f9a2c1b-log": a piece of a server's binary log.
std::string make_log_id(UtcTime time);
bool is_log_id(std::string_view text);
bool is_set_or_log_id(std::string_view text);

bool is_sha256_hex(std::string_view text);  // 64 lower-case hexadecimal digits

}  // namespace strongroom
