// One libcurl easy handle, and a pool of them. A handle keeps its connection when it is used again, which
// saves a TLS handshake (or an SSH login) for each request.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace strongroom::net {

// Not shared between threads. Errors: Error{internal} if libcurl does not start or refuses an option.
class CurlHandle {
  public:
    CurlHandle();

    CURL* get() const { return handle_.get(); }
    // Forgets all options and keeps the connection.
    void reset() { curl_easy_reset(handle_.get()); }
    // `name` is for the error's text.
    template <class T>
    void set(CURLoption option, T value, const char* name) {
        require(curl_easy_setopt(handle_.get(), option, value), name);
    }
    template <class T>
    T info(CURLINFO which) const {
        T out{};
        require(curl_easy_getinfo(handle_.get(), which, &out), "a question");
        return out;
    }

  private:
    static void require(CURLcode code, const char* name);
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle_{nullptr, curl_easy_cleanup};
};

// Hands out handles to any thread, the last used first, and takes them back. A store's operations may each
// run in a thread of its own, so connections cannot belong to threads.
class CurlPool {
  public:
    class Lease {
      public:
        Lease(CurlPool& pool, std::unique_ptr<CurlHandle> handle) : pool_(pool), handle_(std::move(handle)) {}
        ~Lease() { pool_.give_back(std::move(handle_)); }
        Lease(const Lease&) = delete;
        CurlHandle& operator*() { return *handle_; }

      private:
        CurlPool& pool_;
        std::unique_ptr<CurlHandle> handle_;
    };

    // The pool must outlive the lease.
    Lease take();

  private:
    void give_back(std::unique_ptr<CurlHandle> handle) noexcept;
    std::mutex mutex_;
    std::vector<std::unique_ptr<CurlHandle>> idle_;
};

// The reason of a transfer that failed, for people: libcurl's own words if it left some in `buffer`.
std::string curl_reason(CURLcode code, const char* buffer);

// The peer's certificate or host key was not accepted, or ours was not found: asking again will not help.
bool is_trust_failure(CURLcode code);

}  // namespace strongroom::net
