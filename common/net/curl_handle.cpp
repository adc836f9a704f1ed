#include "common/net/curl_handle.hpp"

#include <utility>

#include "common/base/error.hpp"

namespace strongroom::net {
namespace {

constexpr std::size_t most_idle = 64;  // open connections that wait for work

}  // namespace

CurlHandle::CurlHandle() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    handle_.reset(curl_easy_init());
    if (!handle_) throw Error(ErrorKind::internal, "libcurl does not start");
}

void CurlHandle::require(CURLcode code, const char* name) {
    if (code != CURLE_OK) throw Error(ErrorKind::internal, std::string("libcurl refused ") + name);
}

CurlPool::Lease CurlPool::take() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto handle = std::move(idle_.back());
            idle_.pop_back();
            return {*this, std::move(handle)};
        }
    }
    return {*this, std::make_unique<CurlHandle>()};
}

void CurlPool::give_back(std::unique_ptr<CurlHandle> handle) noexcept {
    handle->reset();  // no option, so no credential, stays in it
    try {
        const std::lock_guard lock(mutex_);
        if (idle_.size() < most_idle) idle_.push_back(std::move(handle));
    } catch (const std::exception&) {
        // The connection is closed instead.
    }
}

std::string curl_reason(CURLcode code, const char* buffer) {
    return *buffer != '\0' ? buffer : curl_easy_strerror(code);
}

bool is_trust_failure(CURLcode code) {
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH;
}

}  // namespace strongroom::net
