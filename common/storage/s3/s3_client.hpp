// Signed requests to one bucket. Any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/net/http_client.hpp"
#include "common/storage/s3/credentials.hpp"
#include "common/storage/s3/s3_address.hpp"

namespace strongroom::storage {

struct S3Request {
    std::string method;
    std::string key{};  // within the prefix; empty: the bucket itself
    S3Query query{};
    std::vector<std::pair<std::string, std::string>> headers{};
    BytesView body{};
    MemFile* download = nullptr;  // see net::ObjectRequest
    std::size_t max_download = 0;
    std::size_t max_answer = 64U << 10U;
};

class S3Client {
  public:
    // Throws Error{config}, also if there are no credentials.
    S3Client(const std::string& url, S3Settings settings);

    // Whatever the server answers. A body goes up with its SHA-256 (which the signature covers) and its MD5
    // (which buckets with Object Lock ask for): the server refuses bytes that arrive changed. Throws Error
    // for no answer, with `what` and the address in its text.
    net::ObjectAnswer ask(const std::string& what, const S3Request& request);

    // The same; any status but `expected` is thrown as s3_error().
    net::ObjectAnswer expect(int expected, const std::string& what, const S3Request& request);

    const S3Address& address() const { return address_; }
    const S3Settings& settings() const { return settings_; }

  private:
    const S3Settings settings_;
    const S3Address address_;
    S3CredentialsSource credentials_;
    net::HttpClient http_;
};

[[noreturn]] void throw_s3_error(const S3Client& client, const std::string& what,
                                 const net::ObjectAnswer& answer);

// MD5 as 16 bytes, for Content-MD5 and ETag only: a check against accidents, not against anybody.
Bytes md5(BytesView bytes);

}  // namespace strongroom::storage
