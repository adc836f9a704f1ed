#include "dispatcher/http/server.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "common/base/log.hpp"
#include "dispatcher/http/session.hpp"
#include "dispatcher/http/tls.hpp"

namespace strongroom::dispatcher {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

tcp::acceptor bind(asio::io_context& io, const Address& address) {
    tcp::acceptor acceptor(io);
    try {
        const tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        acceptor.bind(endpoint);
        acceptor.listen(4096);  // all agents come back at once after a restart
    } catch (const boost::system::system_error& error) {
        throw Error(ErrorKind::network, "cannot listen on " + address.text() + ": " + error.code().message(),
                    "Is another program using this port? See --listen and --admin-listen.");
    }
    return acceptor;
}

Address bound(const tcp::acceptor& acceptor) {
    const auto endpoint = acceptor.local_endpoint();
    return {endpoint.address().to_string(), endpoint.port()};
}

// `hint`: what else would allow it.
void require_allowed(const Address& address, bool allowed, const char* hint) {
    if (allowed || address.is_loopback()) return;
    throw Error(ErrorKind::refused, "refusing to listen on " + address.text() + " without TLS", hint);
}

std::unique_ptr<Certificate> load_certificate(const HttpOptions& options) {
    if (options.tls_certificate.empty() && options.tls_key.empty()) return nullptr;
    return std::make_unique<Certificate>(options.tls_certificate, options.tls_key);
}

tcp::acceptor bind_main(asio::io_context& io, const HttpOptions& options, bool tls) {
    require_allowed(
        options.listen, tls || options.behind_proxy,
        "Give --tls-certificate and --tls-key, or listen on a loopback address. If a proxy before "
        "it ends TLS and nobody else reaches this address, say so with --behind-tls-proxy.");
    return bind(io, options.listen);
}

tcp::acceptor bind_admin(asio::io_context& io, const HttpOptions& options, bool tls) {
    require_allowed(options.admin, tls,
                    "Give --tls-certificate and --tls-key, or listen on a loopback address.");
    return bind(io, options.admin);
}

// Room for all connections: this process may open as many files as its hard limit says. The rest of them is
// for the database and for gpg's pipes.
HttpLimits within_open_files(HttpLimits limits) {
    constexpr rlim_t others = 500;
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return limits;
    files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, limits.max_connections + others));
    ::setrlimit(RLIMIT_NOFILE, &files);
    const rlim_t room = files.rlim_cur > 2 * others ? files.rlim_cur - others : files.rlim_cur / 2;
    if (room < limits.max_connections)
        log_event(Level::warning, "DISPATCHER_FEW_FILES", "at most {} connections, not {}: see LimitNOFILE",
                  room, limits.max_connections);
    limits.max_connections = std::min<std::size_t>(limits.max_connections, room);
    return limits;
}

// For co_spawn: a coroutine that ends by an exception is logged, never lost.
void log_end(std::exception_ptr failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        log_event(Level::error, "DISPATCHER_CONNECTION_FAILED", "{}", error.what());
    }
}

}  // namespace

struct HttpServer::Parts {
    Parts(Api& api, Metrics& metrics, const HttpOptions& options)
        : certificate(load_certificate(options)),
          drain_timer(io),
          pool(std::make_unique<WorkPool>(options.limits.threads, options.limits.max_queued)),
          gate_pool(std::make_unique<WorkPool>(1, options.limits.max_connections)),
          shared{api, metrics,    within_open_files(options.limits), *pool, *gate_pool, {}, false, {},
                 {},  drain_timer},
          main_door(bind_main(io, options, certificate != nullptr)),
          admin_door(bind_admin(io, options, certificate != nullptr)),
          admin_tls(!options.admin.is_loopback()),
          signals(io, SIGTERM, SIGINT),
          hang_up(io, SIGHUP) {}

    asio::awaitable<void> accept(tcp::acceptor& acceptor, Door door, bool with_tls) {
        while (!shared.draining) {
            error_code failure;
            tcp::socket socket =
                co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
            if (failure == asio::error::operation_aborted || shared.draining) break;
            if (failure) {  // out of descriptors, usually: let some connections end first
                log_event(Level::warning, "DISPATCHER_ACCEPT_FAILED", "{}", failure.message());
                asio::steady_timer pause(io, std::chrono::milliseconds(100));
                co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
                continue;
            }
            if (shared.open.size() >= shared.limits.max_connections && !shared.make_room())
                continue;  // closed by its destructor
            if (with_tls)
                asio::co_spawn(io, serve_tls(shared, door, std::move(socket), certificate->current()),
                               log_end);
            else
                asio::co_spawn(io, serve_plain(shared, door, std::move(socket)), log_end);
        }
    }

    void drain() {
        if (shared.draining) return;
        shared.draining = true;
        log_event(Level::info, "DISPATCHER_DRAINING", "{} connection(s) open", shared.open.size());
        error_code ignored;
        signals.cancel(ignored);
        hang_up.cancel(ignored);
        main_door.close(ignored);
        admin_door.close(ignored);
        shared.waiters.wake_all();
        const auto idle = shared.idle;
        for (auto* stream : idle) stream->cancel();
        if (shared.open.empty()) return;
        drain_timer.expires_after(shared.limits.drain_time);
        drain_timer.async_wait([this](const error_code& failure) {
            if (failure) return;  // everybody left in time
            log_event(Level::warning, "DISPATCHER_DRAIN_CUT", "{} connection(s) cut", shared.open.size());
            const auto open = shared.open;
            for (auto* stream : open) stream->close();
        });
    }

    // SIGHUP means: the certificate's files are new. Without TLS it means nothing.
    void watch_certificate() {
        hang_up.async_wait([this](const error_code& failure, int) {
            if (failure) return;
            if (certificate != nullptr) certificate->reload();
            watch_certificate();
        });
    }

    std::unique_ptr<Certificate> certificate;
    asio::io_context io{1};  // before the pool: work that ends late still posts to it
    asio::steady_timer drain_timer;
    std::unique_ptr<WorkPool> pool;
    std::unique_ptr<WorkPool> gate_pool;
    Shared shared;
    tcp::acceptor main_door;
    tcp::acceptor admin_door;
    bool admin_tls;
    asio::signal_set signals;
    asio::signal_set hang_up;
};

HttpServer::HttpServer(Api& api, Metrics& metrics, const HttpOptions& options)
    : parts_(std::make_unique<Parts>(api, metrics, options)) {
    api.on_work([this](const std::string& server) { wake(server); });
}

HttpServer::~HttpServer() {
    parts_->gate_pool.reset();  // both join before the io_context goes
    parts_->pool.reset();
}

Address HttpServer::listening() const {
    return bound(parts_->main_door);
}

Address HttpServer::admin_listening() const {
    return bound(parts_->admin_door);
}

void HttpServer::run() {
    Parts& parts = *parts_;
    asio::co_spawn(parts.io,
                   parts.accept(parts.main_door, Door::agents_and_users, parts.certificate != nullptr),
                   log_end);
    asio::co_spawn(parts.io, parts.accept(parts.admin_door, Door::admin, parts.admin_tls), log_end);
    parts.watch_certificate();
    parts.signals.async_wait([&parts](const error_code& failure, int) {
        if (!failure) parts.drain();
    });
    // Until it runs dry: never stop(), which would drop coroutines in the middle, and so would leaving
    // because one handler threw (out of memory).
    for (bool dry = false; !dry;) {
        try {
            parts.io.run();
            dry = true;
        } catch (const std::exception& error) {
            log_event(Level::error, "DISPATCHER_CONNECTION_FAILED", "{}", error.what());
        }
    }
}

void HttpServer::stop() {
    asio::post(parts_->io, [this] { parts_->drain(); });
}

void HttpServer::wake(const std::string& server) {
    asio::post(parts_->io, [this, server] { parts_->shared.waiters.wake(server); });
}

}  // namespace strongroom::dispatcher
