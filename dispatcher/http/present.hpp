// Counts a connection in and out. Until it is known, nobody has shown a valid token on it. Only this folder's
// files include this.
#pragma once

#include <cstdint>

#include "dispatcher/http/session.hpp"

namespace strongroom::dispatcher {

class Present {
  public:
    Present(Shared& shared, boost::beast::tcp_stream& stream)
        : shared_(shared), stream_(&stream), number_(shared.next_number++) {
        shared_.open.insert(stream_);
        shared_.unknown.emplace(number_, stream_);
    }
    ~Present() {
        shared_.unknown.erase(number_);
        shared_.idle.erase(stream_);
        shared_.open.erase(stream_);
        if (shared_.draining && shared_.open.empty()) shared_.drain_timer.cancel();
    }
    Present(const Present&) = delete;
    void is_known() { shared_.unknown.erase(number_); }

  private:
    Shared& shared_;
    boost::beast::tcp_stream* stream_;
    std::uint64_t number_;
};

}  // namespace strongroom::dispatcher
