// HTTP/1.1 in front of an Api: /v1/messages and /v1/wait, and the admin listener.
//
// One thread runs all sockets (run()); blocking work goes to a bounded pool. Nothing is read beyond its cap,
// no read or write waits without a limit, and no body is read before the gate has let its sender in.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "dispatcher/api/api.hpp"
#include "dispatcher/http/address.hpp"
#include "dispatcher/metrics/metrics.hpp"

namespace strongroom::dispatcher {

struct HttpLimits {
    std::size_t threads = 4;               // for blocking work
    std::size_t max_queued = 64;           // blocking work that waits
    std::size_t max_connections = 16'384;  // fewer if the process may not open so many files
    // A stranger is who did not pass the gate. An address with more of them than this is answered late, and
    // only the strangers are: whoever shows a valid token from the same address never waits.
    double strangers_per_second = 10;
    double strangers_burst = 50;
    std::chrono::milliseconds stranger_delay{2'000};
    std::size_t max_delayed = 512;  // more are cut without an answer
    // Messages of one identity (a server, a user, a registration code).
    double messages_per_second = 20;
    double messages_burst = 100;
    std::size_t messages_at_once = 4;
    double refused_cost = 10;                       // tokens for a message whose sender was not proven
    std::chrono::milliseconds header_time{10'000};  // for a request's header, also between requests
    std::chrono::milliseconds body_time{30'000};    // for a request's body, and for writing an answer
    std::chrono::milliseconds drain_time{8'000};    // after stop(), for requests in flight
};

struct HttpOptions {
    Address listen;
    Address admin;
    std::filesystem::path tls_certificate;  // PEM chain; empty: plain HTTP, loopback only
    std::filesystem::path tls_key;          // PEM, private (S26); both are read again on SIGHUP
    bool behind_proxy = false;              // plain HTTP for `listen` on any address: a proxy ends TLS
    HttpLimits limits;
};

class HttpServer {
  public:
    // Binds both listeners. Throws Error{refused} for an address that is not loopback without TLS,
    // Error{config} for a certificate or key that cannot be used, Error{network} if an address cannot be
    // bound. `api`, `metrics` outlive it; it becomes the api's listener for work.
    HttpServer(Api& api, Metrics& metrics, const HttpOptions& options);
    ~HttpServer();

    Address listening() const;  // with the real port
    Address admin_listening() const;

    // SIGHUP reads the TLS certificate again. Serves until SIGTERM, SIGINT or stop(), then drains: no new
    // connections, waiters are told to come back, requests in flight get their answer within drain_time.
    void run();

    // Any thread.
    void stop();
    void wake(const std::string& server);  // its agent has work

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace strongroom::dispatcher
