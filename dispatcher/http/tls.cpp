#include "dispatcher/http/tls.hpp"

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/log.hpp"

namespace strongroom::dispatcher {
namespace {

namespace ssl = boost::asio::ssl;

constexpr const char* ciphers_of_tls_1_2 =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";

std::shared_ptr<ssl::context> load(const std::filesystem::path& chain, const std::filesystem::path& key) {
    if (chain.empty() || key.empty())
        throw Error(ErrorKind::usage, "--tls-certificate and --tls-key belong together");
    require_private_file(key);
    auto out = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX* raw = out->native_handle();
    SSL_CTX_set_options(raw,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(raw, ciphers_of_tls_1_2) != 1)
        throw Error(ErrorKind::internal, "OpenSSL refused the TLS settings");
    try {
        out->use_certificate_chain_file(chain.string());
        out->use_private_key_file(key.string(), ssl::context::pem);
    } catch (const boost::system::system_error& error) {
        throw Error(ErrorKind::config,
                    "cannot use the TLS certificate " + chain.string() + " with the key " + key.string() +
                        ": " + error.code().message(),
                    "Both are PEM files; the certificate file holds the chain, the server's own first.");
    }
    return out;
}

}  // namespace

Certificate::Certificate(std::filesystem::path chain, std::filesystem::path key)
    : chain_(std::move(chain)), key_(std::move(key)), current_(load(chain_, key_)) {}

void Certificate::reload() noexcept {
    try {
        current_ = load(chain_, key_);
        log_event(Level::info, "DISPATCHER_TLS_RELOADED", "new connections get the certificate {}",
                  chain_.string());
    } catch (const std::exception& error) {
        log_event(Level::error, "DISPATCHER_TLS_KEPT", "the certificate at hand stays in use: {}",
                  error.what());
    }
}

}  // namespace strongroom::dispatcher
