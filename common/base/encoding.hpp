// Hexadecimal, base64 (RFC 4648, with padding) and SHA-256, all through OpenSSL where it has them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"

struct evp_md_ctx_st;

namespace strongroom {

std::string to_hex(BytesView bytes);  // lower case
std::string to_base64(BytesView bytes);
Bytes from_base64(std::string_view text);  // throws Error{protocol} unless canonical

// SHA-256 of what comes in pieces. Throws Error{internal} if OpenSSL refuses. Not shared between threads.
class Sha256 {
  public:
    Sha256();
    void add(BytesView piece);
    std::string hex();  // once, at the end: lower case

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256_hex(BytesView bytes);

// Compares without an early exit, for token hashes.
bool equal_constant_time(BytesView a, BytesView b);

}  // namespace strongroom
