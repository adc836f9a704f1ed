#include "common/net/stall_watch.hpp"

namespace strongroom::net {

StallWatch::StallWatch(CurlHandle& curl, std::chrono::seconds limit) : limit_(limit) {
    curl.set(CURLOPT_NOPROGRESS, 0L, "progress");
    curl.set(CURLOPT_XFERINFOFUNCTION, on_progress, "progress");
    curl.set(CURLOPT_XFERINFODATA, this, "progress");
}

// libcurl asks about once a second, and more often while bytes move.
int StallWatch::on_progress(void* watch, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up) {
    auto& self = *static_cast<StallWatch*>(watch);
    const auto now = std::chrono::steady_clock::now();
    if (down + up != self.moved_) {
        self.moved_ = down + up;
        self.moved_at_ = now;
    }
    self.stalled_ = now - self.moved_at_ >= self.limit_;
    return self.stalled_ ? 1 : 0;
}

}  // namespace strongroom::net
