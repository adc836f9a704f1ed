#include "proto/exchange.hpp"

#include <thread>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/net/http.hpp"
#include "proto/dispatcher_key.hpp"

namespace strongroom::proto {
namespace {

// An answer without a signature proves nothing: its text is shown as a claim, never acted upon.
struct Claim {
    std::string error;
    std::string text;
    template <class Fields>
    void fields(Fields& f) {
        f("error", error, Text{64});
        f("text", text, Text{4000, nullptr, "text", true});
    }
};

Error unsigned_answer(const std::string& url, const net::HttpAnswer& answer) {
    std::string claim = "status " + std::to_string(answer.status);
    ErrorKind kind = ErrorKind::network;
    try {
        const auto body = from_json<Claim>(parse_json(answer.body, 16'384));
        claim += ": " + printable_line(body.text);
    } catch (const Error&) {
        // Not one of our refusals; the status alone is shown.
    }
    std::string hint =
        "This answer is not signed, so it may come from somebody between here and the dispatcher.";
    if (answer.status == 401)
        kind = ErrorKind::unauthenticated, hint =
                                               "Either the token or registration code is not valid there, or "
                                               "that dispatcher has another key than the one compiled "
                                               "into this program (see --version).";
    if (answer.status == 429 || answer.status == 503) kind = ErrorKind::busy, hint = "Try again later.";
    return Error(kind, "the dispatcher at " + url + " refused: " + claim, hint);
}

}  // namespace

Exchange::Exchange(std::string url, Party me, Party dispatcher, Gate gate, const Clock& clock)
    : url_(std::move(url)),
      me_(std::move(me)),
      dispatcher_(std::move(dispatcher)),
      gate_(std::move(gate)),
      clock_(clock) {
    while (url_.ends_with('/')) url_.pop_back();
    require_address_allowed(url_);
}

std::string Exchange::authorization() const {
    return (gate_.kind == Gate::Kind::bearer ? "Bearer " : "Registration ") +
           std::string(gate_.value.reveal());
}

Message Exchange::send_once(const Message& request) {
    net::HttpRequest post;
    post.method = "POST";
    post.url = url_ + "/v1/messages";
    post.headers.emplace_back("Authorization", Secret(authorization()));
    post.headers.emplace_back("Content-Type", Secret(std::string("application/octet-stream")));
    post.body = seal(request, me_, dispatcher_);
    post.max_answer = max_message;
    const auto answer = net::http(post);
    if (answer.status != 200) throw unsigned_answer(url_, answer);
    try {
        return open(answer.body, me_, dispatcher_, clock_);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::unauthenticated) throw error.with_context("the dispatcher's reply");
        throw Error(ErrorKind::unauthenticated,
                    "the reply from " + url_ + " is not from the dispatcher: " + error.text(),
                    "Expected is the key compiled into this program, " +
                        group_fingerprint(dispatcher_.fingerprint) + ". Nothing was done.");
    }
}

Json Exchange::ask(const char* type, Json body) {
    const Message request = encode(
        {type, me_.fingerprint, dispatcher_.fingerprint, random_uuid(), clock_.now(), {}}, std::move(body));
    auto pause = std::chrono::seconds(1);
    for (int attempt = 1;; ++attempt) {
        try {
            const Message reply = send_once(request);
            difference_ = reply.header.time - clock_.now();
            require_reply_to(reply, request);
            return reply.body;
        } catch (const Error& error) {
            const bool passing = error.kind() == ErrorKind::network || error.kind() == ErrorKind::busy;
            if (!passing || attempt >= attempts_) throw;
        }
        std::this_thread::sleep_for(pause);
        pause *= 2;
    }
}

bool Exchange::wait_for_work(std::chrono::seconds limit) {
    net::HttpRequest get;
    get.method = "GET";
    get.url = url_ + "/v1/wait?seconds=" + std::to_string(limit.count());
    get.headers.emplace_back("Authorization", Secret(authorization()));
    get.limit = limit + std::chrono::seconds(15);
    const auto answer = net::http(get);
    if (answer.status == 204) return false;
    if (answer.status == 200) return true;
    throw unsigned_answer(url_, answer);
}

}  // namespace strongroom::proto
