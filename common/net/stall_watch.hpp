// Notices a transfer that moves no byte for a while. libcurl's own least speed is an average over seconds,
// which a burst before a silence hides.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <string>

#include "common/net/curl_handle.hpp"

namespace strongroom::net {

// One for each transfer, in its thread; must outlive it.
class StallWatch {
  public:
    // `limit`: without a byte in either direction. The transfer then ends with CURLE_ABORTED_BY_CALLBACK.
    StallWatch(CurlHandle& curl, std::chrono::seconds limit);
    StallWatch(const StallWatch&) = delete;

    bool stalled() const { return stalled_; }
    std::string text() const { return "no byte moved for " + std::to_string(limit_.count()) + " seconds"; }

  private:
    static int on_progress(void* watch, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up);

    const std::chrono::seconds limit_;
    curl_off_t moved_ = -1;
    std::chrono::steady_clock::time_point moved_at_{};
    bool stalled_ = false;
};

}  // namespace strongroom::net
