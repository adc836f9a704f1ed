#include "common/storage/s3/s3_client.hpp"

#include <openssl/evp.h>

#include <array>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/storage/s3/s3_errors.hpp"

namespace strongroom::storage {
namespace {

// Configured values go into headers that are signed as they are.
void require_header_value(const std::string& value, const char* setting) {
    for (const char c : value)
        if (c <= ' ' || c >= 0x7F || value.size() > 512)
            throw Error(ErrorKind::config,
                        std::string(setting) + " is not usable: " + printable_line(value, 80));
}

S3Settings checked(S3Settings settings) {
    require_header_value(settings.storage_class, "s3-storage-class");
    require_header_value(settings.encryption, "s3-encryption");
    require_header_value(settings.kms_key, "s3-kms-key");
    if (settings.addressing != "auto" && settings.addressing != "path" && settings.addressing != "virtual")
        throw Error(ErrorKind::config, "s3-addressing must be auto, path or virtual");
    if (settings.object_lock.empty() != (settings.lock_for == 0))
        throw Error(ErrorKind::config, "s3-object-lock and s3-lock-for go together",
                    "For example: s3-object-lock = \"governance\" and s3-lock-for = \"35d\"");
    if (!settings.object_lock.empty() && settings.object_lock != "governance" &&
        settings.object_lock != "compliance")
        throw Error(ErrorKind::config, "s3-object-lock must be governance or compliance");
    return settings;
}

std::string hint_for(ErrorKind kind, const S3Settings& settings) {
    if (kind == ErrorKind::unauthenticated)
        return settings.ca_file.empty() ? "Name the authority of the server's certificate with s3-ca-file; "
                                          "check this host's clock."
                                        : "Check s3-ca-file, the name in s3-endpoint, and this host's clock.";
    return kind == ErrorKind::network ? "Check s3-endpoint and the network between." : "";
}

}  // namespace

Bytes md5(BytesView bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr) != 1)
        throw Error(ErrorKind::internal, "OpenSSL has no MD5, which S3 needs");
    return {reinterpret_cast<const char*>(digest.data()), size};
}

S3Client::S3Client(const std::string& url, S3Settings settings)
    : settings_(checked(std::move(settings))),
      address_(url, settings_),
      credentials_(settings_),
      http_({.ca_file = settings_.ca_file,
             .connect_timeout = std::chrono::seconds(settings_.connect_timeout),
             .stall_timeout = std::chrono::seconds(settings_.stall_timeout)}) {
    credentials_.current();
}

net::ObjectAnswer S3Client::ask(const std::string& what, const S3Request& request) {
    const auto keys = credentials_.current();
    net::ObjectRequest out;
    out.method = request.method;
    out.url = address_.request_url(request.key.empty() ? "" : address_.prefix() + request.key, request.query);
    out.headers = request.headers;
    out.headers.emplace_back("x-amz-content-sha256", sha256_hex(request.body));
    if (request.method == "PUT" || request.method == "POST") {
        // Without a type of ours libcurl would not sign the one that it sends.
        out.headers.emplace_back("Content-Type", "application/octet-stream");
        if (!request.body.empty() || request.method == "PUT")
            out.headers.emplace_back("Content-MD5", to_base64(md5(request.body)));
    }
    if (!keys->session_token.empty()) out.secret_header.emplace("x-amz-security-token", &keys->session_token);
    out.signature.emplace(net::AwsSignature{address_.region(), "s3", keys->access_key, keys->secret_key});
    out.body = request.body;
    out.download = request.download;
    out.max_download = request.max_download;
    out.max_answer = request.max_answer;
    try {
        return http_.ask(out);
    } catch (const Error& error) {
        const std::string text = error.kind() == ErrorKind::corrupt
                                     ? "object " + request.key + " " + error.text()
                                     : what + ": " + error.text();
        throw Error(error.kind(), text + " (" + address_.label() + ")", hint_for(error.kind(), settings_));
    }
}

net::ObjectAnswer S3Client::expect(int expected, const std::string& what, const S3Request& request) {
    auto answer = ask(what, request);
    if (answer.status != expected) throw_s3_error(*this, what, answer);
    return answer;
}

void throw_s3_error(const S3Client& client, const std::string& what, const net::ObjectAnswer& answer) {
    const Error error = s3_error(what, answer);
    throw Error(error.kind(), error.text() + " (" + client.address().label() + ")", error.hint());
}

}  // namespace strongroom::storage
