// "s3://BUCKET/PREFIX" and an endpoint, and the addresses of requests that follow from them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/storage/s3/s3_settings.hpp"

namespace strongroom::storage {

inline constexpr std::string_view s3_scheme = "s3://";

// Sorted by name, as the signature wants it; values as they are, not yet encoded.
using S3Query = std::map<std::string, std::string>;

class S3Address {
  public:
    // Throws Error{config}: not a bucket's name, a prefix that could not be a key, an endpoint that is not
    // http(s)://host[:port], or one without TLS that is not on loopback.
    S3Address(const std::string& url, const S3Settings& settings);

    const std::string& bucket() const { return bucket_; }
    const std::string& prefix() const { return prefix_; }  // of all keys: "" or "backups/"
    const std::string& region() const { return region_; }
    std::string label() const;  // "s3://bucket/backups"

    // Of the bucket, or of the object with this whole key (prefix included).
    std::string request_url(const std::string& whole_key, const S3Query& query) const;

  private:
    std::string bucket_;
    std::string prefix_;
    std::string region_;
    std::string base_;  // up to and without the slash before a key
};

// RFC 3986 with S3's rules: all but letters, digits and -._~ become %XX.
std::string encode_uri(std::string_view text);
// Throws Error{protocol} for a broken %XX. '+' is a space, as S3's encoding-type=url has it.
std::string decode_uri(std::string_view text);

}  // namespace strongroom::storage
