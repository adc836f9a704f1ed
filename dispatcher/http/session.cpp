// A trap of g++ 12.2: a co_await statement that contains a lambda with captures or a brace-built aggregate is
// miscompiled. Here every such thing has a name first and is moved in.
#include "dispatcher/http/session.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <functional>

#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "dispatcher/http/long_poll.hpp"
#include "dispatcher/http/present.hpp"
#include "dispatcher/http/refusals.hpp"
#include "dispatcher/http/run_blocking.hpp"
#include "dispatcher/http/sender_limits.hpp"
#include "proto/sealed.hpp"

namespace strongroom::dispatcher {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t max_header = 16U << 10U;
constexpr std::string_view keys_from = "/v1/keys?from=";

asio::awaitable<Answer> admin_answer(Shared& shared, std::string target) {
    Answer answer;
    answer.content_type = "text/plain; charset=utf-8";
    if (target == "/healthz") {
        answer.body = "ok\n";
        co_return answer;
    }
    const bool ready = target == "/readyz";
    if (!ready && target != "/metrics") co_return plain(404, "protocol", "unknown path");
    if (ready && shared.draining) {
        answer.status = 503;
        answer.body = "shutting down\n";
        co_return answer;
    }
    std::function<void()> work = [&shared, &answer, ready] {
        try {
            if (ready) {
                shared.api.require_ready();
                answer.body = "ready\n";
            } else {
                answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
                answer.body = shared.api.metrics();
            }
        } catch (const std::exception& error) {
            log_event(Level::warning, "DISPATCHER_NOT_READY", "{}", error.what());
            answer.status = 503;
            answer.body = "not ready: " + printable_line(error.what()) + "\n";
        }
    };
    const bool ran = co_await run_blocking(shared, shared.pool, std::move(work));
    if (!ran) co_return busy();
    co_return answer;
}

// One connection, over TCP or TLS.
template <class Stream>
class Conversation {
  public:
    Conversation(Shared& shared, Door door, Stream& stream, Present& present)
        : shared_(shared), door_(door), stream_(stream), present_(present) {}

    asio::awaitable<void> run() {
        bool more = true;
        while (more && !shared_.draining) more = co_await one_request();
    }

  private:
    using Parser = http::request_parser<http::string_body>;

    beast::tcp_stream& tcp() { return beast::get_lowest_layer(stream_); }

    // True if the connection can carry another request.
    asio::awaitable<bool> one_request() {
        Parser parser;
        parser.header_limit(max_header);
        parser.body_limit(proto::max_message);
        error_code failure;
        tcp().expires_after(shared_.limits.header_time);
        shared_.idle.insert(&tcp());
        co_await http::async_read_header(stream_, buffer_, parser,
                                         asio::redirect_error(asio::use_awaitable, failure));
        shared_.idle.erase(&tcp());
        keep_alive_ = false;
        if (failure == http::error::body_limit) {
            Answer answer = plain(413, "protocol", "a message has at most 1 MiB");
            co_return co_await write(std::move(answer));
        }
        if (failure == http::error::header_limit) {
            Answer answer = plain(431, "protocol", "the request's header is too long");
            co_return co_await write(std::move(answer));
        }
        if (failure && failure != http::error::end_of_stream &&
            failure.category() == bad_request_category()) {
            Answer answer = plain(400, "protocol", "not an HTTP request");
            co_return co_await write(std::move(answer));
        }
        if (failure) co_return false;
        Answer answer;
        if (door_ == Door::admin) {
            answer = co_await get_admin(parser);
        } else {
            known_ = false;
            answer = co_await route(parser);
            if (!known_) {
                const bool patient = co_await hold_up_strangers();
                if (!patient) co_return false;
            }
        }
        co_return co_await write(std::move(answer));
    }

    static const boost::system::error_category& bad_request_category() {
        static const error_code example = http::error::bad_method;
        return example.category();
    }

    asio::awaitable<Answer> get_admin(Parser& parser) {
        if (parser.get().method() != http::verb::get) co_return plain(405, "protocol", "only GET here");
        keep_alive_ = parser.is_done() && parser.get().keep_alive();
        std::string target(parser.get().target());
        Answer answer = co_await admin_answer(shared_, std::move(target));
        co_return answer;
    }

    asio::awaitable<Answer> route(Parser& parser) {
        const std::string target(parser.get().target());
        const http::verb method = parser.get().method();
        const bool wait = target.starts_with("/v1/wait");
        const bool keys = target.starts_with("/v1/keys");
        if (!wait && !keys && target != "/v1/messages") co_return plain(404, "protocol", "unknown path");
        if (method != (wait || keys ? http::verb::get : http::verb::post))
            co_return plain(405, "protocol", wait || keys ? "only GET here" : "only POST here");
        const int seconds = wait ? wait_seconds(target) : 0;
        if (wait && seconds == 0) co_return plain(400, "protocol", "/v1/wait?seconds=N with N from 1 to 55");
        const std::string from = target.starts_with(keys_from) ? target.substr(keys_from.size()) : "";
        if (keys && !is_fingerprint(from)) co_return plain(400, "protocol", "/v1/keys?from=FINGERPRINT");
        if (!wait && !keys && (!parser.content_length() || parser.chunked()))
            co_return plain(411, "protocol", "Content-Length is required");

        std::string authorization(parser.get()[http::field::authorization]);
        if (wait) {
            keep_alive_ = parser.is_done() && parser.get().keep_alive();
            tcp().expires_never();
            Answer answer =
                co_await wait_for_work(shared_, present_, waiter_, std::move(authorization), seconds);
            known_ = waiter_.has_value();
            if (!known_) keep_alive_ = false;
            co_return answer;
        }
        std::function<Admission()> ask = [this, &authorization] { return shared_.api.admit(authorization); };
        const Gate<Admission> gate = co_await ask_gate(shared_, std::move(ask));
        if (!gate.admission) co_return gate.refusal;
        known_ = true;
        present_.is_known();
        const std::string sender = limit_key(*gate.admission);
        // Both before the body is read: a sender over its limit costs no memory either.
        if (!shared_.senders.take(sender, Clock::now())) co_return too_many();
        if (keys) {
            keep_alive_ = parser.is_done() && parser.get().keep_alive();
            Answer answer;
            std::function<void()> work = [this, &from, &answer] { answer = shared_.api.keys(from); };
            const bool ran = co_await run_blocking(shared_, shared_.pool, std::move(work));
            if (!ran) co_return busy();
            co_return answer;
        }
        const auto others = shared_.in_flight.find(sender);
        if (others != shared_.in_flight.end() && others->second >= shared_.limits.messages_at_once)
            co_return too_many();
        const InFlight in_flight(shared_, sender);
        const bool complete = co_await read_body(parser);
        if (!complete) co_return plain(408, "protocol", "the message did not arrive in time");
        keep_alive_ = parser.get().keep_alive();
        Answer answer;
        std::function<void()> work = [this, &gate, &parser, &answer] {
            answer = shared_.api.message(*gate.admission, parser.get().body());
        };
        const bool ran = co_await run_blocking(shared_, shared_.pool, std::move(work));
        if (!ran) co_return busy();
        if (answer.status == 401 || answer.status == 400)
            shared_.senders.charge(sender, Clock::now(), shared_.limits.refused_cost);
        co_return answer;
    }

    // An address with many strangers gets their answers late, so that each connection of theirs costs little.
    // False: too many wait like this already, and this one is cut.
    asio::awaitable<bool> hold_up_strangers() {
        if (shared_.strangers.take(limit_key(tcp()), Clock::now())) co_return true;
        shared_.metrics.stranger_held_up();
        if (shared_.draining) co_return true;
        if (shared_.delayed >= shared_.limits.max_delayed) co_return false;
        ++shared_.delayed;
        tcp().expires_never();
        asio::steady_timer timer(tcp().get_executor(), shared_.limits.stranger_delay);
        error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        --shared_.delayed;
        co_return true;
    }

    asio::awaitable<bool> read_body(Parser& parser) {
        error_code failure;
        tcp().expires_after(shared_.limits.body_time);
        if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
            http::response<http::empty_body> go_on(http::status::continue_, 11);
            co_await http::async_write(stream_, go_on, asio::redirect_error(asio::use_awaitable, failure));
            if (failure) co_return false;
        }
        co_await http::async_read(stream_, buffer_, parser,
                                  asio::redirect_error(asio::use_awaitable, failure));
        co_return !failure;
    }

    asio::awaitable<bool> write(Answer answer) {
        http::response<http::string_body> response(static_cast<http::status>(answer.status), 11);
        response.set(http::field::server, "strongroom-dispatcher");
        response.set(http::field::cache_control, "no-store");
        if (!answer.content_type.empty()) response.set(http::field::content_type, answer.content_type);
        if (answer.retry_after > 0)
            response.set(http::field::retry_after, std::to_string(answer.retry_after));
        response.body() = std::move(answer.body);
        const bool keep = keep_alive_ && !shared_.draining;
        response.keep_alive(keep);
        response.prepare_payload();
        shared_.metrics.http_answered(answer.status);
        error_code failure;
        tcp().expires_after(shared_.limits.body_time);
        co_await http::async_write(stream_, response, asio::redirect_error(asio::use_awaitable, failure));
        co_return !failure && keep;
    }

    Shared& shared_;
    Door door_;
    Stream& stream_;
    Present& present_;
    beast::flat_buffer buffer_{max_header + proto::max_message};
    std::optional<KnownWaiter> waiter_;
    bool keep_alive_ = false;
    bool known_ = false;  // passed the gate
};

}  // namespace

asio::awaitable<void> serve_plain(Shared& shared, Door door, asio::ip::tcp::socket socket) {
    beast::tcp_stream stream(std::move(socket));
    Present present(shared, stream);
    Conversation<beast::tcp_stream> conversation(shared, door, stream, present);
    co_await conversation.run();
    error_code ignored;
    stream.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
}

asio::awaitable<void> serve_tls(Shared& shared, Door door, asio::ip::tcp::socket socket,
                                std::shared_ptr<asio::ssl::context> tls) {
    beast::ssl_stream<beast::tcp_stream> stream(beast::tcp_stream(std::move(socket)), *tls);
    beast::tcp_stream& tcp = beast::get_lowest_layer(stream);
    Present present(shared, tcp);
    if (shared.draining) co_return;  // accepted just before, so that drain() did not see it
    error_code failure;
    tcp.expires_after(shared.limits.header_time);
    co_await stream.async_handshake(asio::ssl::stream_base::server,
                                    asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return;
    Conversation<beast::ssl_stream<beast::tcp_stream>> conversation(shared, door, stream, present);
    co_await conversation.run();
    tcp.expires_after(std::chrono::seconds(2));
    co_await stream.async_shutdown(asio::redirect_error(asio::use_awaitable, failure));
}

}  // namespace strongroom::dispatcher
