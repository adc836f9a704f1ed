// A TCP proxy on loopback that stands for a network: each connection has a delay in each direction and a rate
// of its own, as a long way or a provider's limit gives it. Bytes pass unchanged. Runs in a thread of its
// own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace strongroom::test {

struct LinkLimits {
    std::chrono::milliseconds delay{0};  // one way
    std::int64_t rate = 0;               // bytes a second, each connection and direction; 0: no limit
};

class SlowLink {
  public:
    // To a port of 127.0.0.1. Throws std::exception if there is no port to listen on.
    SlowLink(int target_port, LinkLimits limits);
    ~SlowLink();  // breaks connections off
    SlowLink(const SlowLink&) = delete;

    int port() const;
    int most_connections() const;  // at once, so far

  private:
    class Relay;
    std::unique_ptr<Relay> relay_;
};

}  // namespace strongroom::test
