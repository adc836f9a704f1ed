// HTTP for stores: whole objects up and down over kept connections, signed by AWS Signature Version 4 where
// asked for (libcurl signs). For messages see http.hpp; the rules are the same: certificates are always
// checked, redirects are never followed, every answer has a cap.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/secret.hpp"
#include "common/net/curl_handle.hpp"

namespace strongroom::net {

// The query must be sorted by name and every name must have its '='; header values must not be empty: that is
// what libcurl 7.88 signs rightly.
struct AwsSignature {
    std::string region;
    std::string service;  // "s3"
    std::string access_key;
    const Secret& secret_key;
};

struct ObjectRequest {
    std::string method;  // GET, HEAD, PUT, POST, DELETE
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<std::pair<std::string, const Secret*>> secret_header;
    std::optional<AwsSignature> signature;
    BytesView body;  // of PUT and POST; must outlive the request

    // The body of a 200 answer goes here, if its length is known and at most `max_download`: Error{corrupt}
    // for a longer one before it is read. Other answers go to ObjectAnswer::body.
    MemFile* download = nullptr;
    std::size_t max_download = 0;
    std::size_t max_answer = 64U << 10U;  // bytes of ObjectAnswer::body
};

struct ObjectAnswer {
    int status = 0;
    std::map<std::string, std::string> headers;  // names in lower case; 64 KiB of them at most
    Bytes body;

    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string() : found->second;
    }
};

// Any thread; one connection for each request that is under way.
class HttpClient {
  public:
    struct Settings {
        std::filesystem::path ca_file;  // PEM; empty: the system's
        std::chrono::seconds connect_timeout{15};
        std::chrono::seconds stall_timeout{60};  // a transfer that moves no byte for so long is given up
    };
    explicit HttpClient(Settings settings) : settings_(std::move(settings)) {}

    // Throws Error{network} when no complete answer arrived, Error{unauthenticated} if the certificate is not
    // accepted, Error{protocol} if the answer breaks a cap; the text names neither headers nor the query.
    ObjectAnswer ask(const ObjectRequest& request);

  private:
    const Settings settings_;
    CurlPool pool_;
};

}  // namespace strongroom::net
