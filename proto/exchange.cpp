#include "proto/exchange.hpp"

#include <thread>
#include <utility>

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
                                               "that dispatcher has another key than the pinned ones, and "
                                               "no statement leads from these to it.";
    if (answer.status == 429 || answer.status == 503) kind = ErrorKind::busy, hint = "Try again later.";
    return Error(kind, "the dispatcher at " + url + " refused: " + claim, hint);
}

// Refused before anything was done; unsigned.
struct TurnedAway : Error {
    explicit TurnedAway(const Error& error) : Error(error) {}
};

}  // namespace

Exchange::Exchange(std::string url, Party me, std::shared_ptr<DispatcherPins> pins, Gate gate,
                   const Clock& clock, KeyNews news)
    : url_(std::move(url)),
      me_(std::move(me)),
      pins_(std::move(pins)),
      gate_(std::move(gate)),
      clock_(clock),
      news_(std::move(news)) {
    while (url_.ends_with('/')) url_.pop_back();
    require_address_allowed(url_);
}

Exchange::Exchange(std::string url, Party me, Party dispatcher, Gate gate, const Clock& clock)
    : Exchange(std::move(url), std::move(me), std::make_shared<DispatcherPins>(std::move(dispatcher)),
               std::move(gate), clock) {}

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
    const Party* dispatcher = pins_->accepted(request.header.to);
    post.body = seal(request, me_, dispatcher != nullptr ? *dispatcher : pins_->current());
    post.max_answer = max_message;
    const auto answer = net::http(post);
    if (answer.status == 401) throw TurnedAway(unsigned_answer(url_, answer));
    if (answer.status != 200) throw unsigned_answer(url_, answer);
    try {
        return open_reply(answer.body);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::unauthenticated) throw error.with_context("the dispatcher's reply");
        throw Error(ErrorKind::unauthenticated,
                    "the reply from " + url_ + " is not from the dispatcher: " + error.text(),
                    "Expected is the key that is pinned here, " +
                        group_fingerprint(pins_->current().fingerprint) + ". Nothing was done.");
    }
}

// Signed by the current key or by the next one, whichever it says; both are checked by full fingerprint.
Message Exchange::open_reply(BytesView sealed) {
    const Unverified reply = open_unverified(sealed, me_);
    const std::string& from = reply.claimed.header.from;
    std::string why;
    if (pins_->accepted(from) == nullptr && pins_->can_follow()) {
        try {
            follow_keys();
        } catch (const Error& error) {
            why = "; " + error.text();
        }
    }
    const Party* signer = pins_->accepted(from);
    if (signer == nullptr && pins_->contains(from))
        throw Error(ErrorKind::unauthenticated,
                    "it says it is from " + group_fingerprint(from) +
                        ", a former key, and its successor was seen at work already (was the dispatcher "
                        "restored from an old backup?)");
    if (signer == nullptr && !why.empty())
        throw Error(ErrorKind::unauthenticated, "it says it is from " + group_fingerprint(from) + why);
    Message out = verify(reply, me_, signer != nullptr ? *signer : pins_->current(), clock_);
    pins_->at_work(from);
    return out;
}

bool Exchange::follow_keys() {
    bool moved = false;
    for (;;) {
        net::HttpRequest get;
        get.method = "GET";
        get.url = url_ + "/v1/keys?from=" + pins_->from();
        get.headers.emplace_back("Authorization", Secret(authorization()));
        const auto answer = net::http(get);
        if (answer.status == 404)
            throw Error(
                ErrorKind::unauthenticated,
                "the dispatcher at " + url_ + " has another key: no statement leads from the pinned key " +
                    group_fingerprint(pins_->from()) + " to its own",
                "It is another dispatcher, or it lost its chain of keys. Nothing was pinned or done.");
        if (answer.status != 200) throw TurnedAway(unsigned_answer(url_, answer));
        const auto list = from_json<KeyStatements>(parse_json(answer.body, KeyStatements::max_json));
        if (!pins_->follow(list.statements)) return moved;
        moved = true;
        if (news_.pinned)
            news_.pinned("the dispatcher's next key " + group_fingerprint(pins_->newest()) +
                         " is pinned: the key before it vouches for it");
    }
}

// The reply is good whatever comes of this; what is refused is told once.
void Exchange::look_for_newer_keys(const Message& reply) {
    if (!reply.header.key || *reply.header.key == pins_->newest() || !pins_->can_follow()) return;
    try {
        follow_keys();
    } catch (const Error& error) {
        const bool passing = error.kind() == ErrorKind::network || error.kind() == ErrorKind::busy;
        if (!passing && !std::exchange(refused_keys_, true) && news_.refused) news_.refused(error);
    }
}

// After an answer that proves nothing, so nothing but a proven chain may come of it.
bool Exchange::try_to_follow() {
    if (!pins_->can_follow()) return false;
    try {
        return follow_keys();
    } catch (const TurnedAway&) {
        return false;
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::network || error.kind() == ErrorKind::busy) return false;
        throw;
    }
}

Message Exchange::request_to(const Party& dispatcher, const char* type, const Json& body) const {
    Header header{type, me_.fingerprint, dispatcher.fingerprint, random_uuid(), clock_.now(), {}};
    header.key = pins_->newest();
    return encode(std::move(header), body);
}

Json Exchange::ask(const char* type, Json body) {
    Message request = request_to(pins_->current(), type, body);
    auto pause = std::chrono::seconds(1);
    bool followed = false;
    for (int attempt = 1;; ++attempt) {
        try {
            const Message reply = send_once(request);
            difference_ = reply.header.time - clock_.now();
            require_reply_to(reply, request);
            look_for_newer_keys(reply);
            return reply.body;
        } catch (const TurnedAway&) {
            // A dispatcher that has retired the key that this was for cannot read it: it did nothing.
            if (pins_->next() != nullptr && request.header.to == pins_->current().fingerprint) {
                request = request_to(*pins_->next(), type, body);
            } else if (!std::exchange(followed, true) && try_to_follow()) {
                request = request_to(pins_->current(), type, body);
            } else {
                throw;
            }
            --attempt;
            continue;
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
