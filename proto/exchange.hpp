// The asking side, for agents and users: sends one sealed request and returns the verified reply.
//
//   Exchange exchange(url, me, dispatcher_party(home), token, clock);
//   JobNext::Reply reply = exchange.ask(JobNext{...});
//
// A request whose reply was lost is repeated with the same id and the same JSON, so its effect happens once.
// Not shared between threads. Errors: what the dispatcher answered under its signature is thrown as that
// Error; Error{network} if it cannot be reached, or answers without its signature (the text says what it
// claimed); Error{unauthenticated} if the reply is not signed by the compiled-in key.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/secret.hpp"
#include "proto/dispatcher_pins.hpp"
#include "proto/sealed.hpp"

namespace strongroom::proto {

// What stands in the Authorization header.
struct Gate {
    enum class Kind { bearer, registration } kind;
    Secret value;
};

// What an exchange tells of the dispatcher's keys, while its replies stay good.
struct KeyNews {
    std::function<void(const std::string& text)> pinned;  // a new key
    std::function<void(const Error&)> refused;            // statements that do not hold; once an exchange
};

class Exchange {
  public:
    Exchange(std::string url, Party me, std::shared_ptr<DispatcherPins> pins, Gate gate, const Clock& clock,
             KeyNews news = {});
    // With a dispatcher whose key never changes.
    Exchange(std::string url, Party me, Party dispatcher, Gate gate, const Clock& clock);

    template <class Request>
    typename Request::Reply ask(const Request& request) {
        return from_json<typename Request::Reply>(ask(Request::type, to_json(request)));
    }

    // GET /v1/wait: true if there is work, false after `limit` (at most 55 s). Throws Error{network}.
    bool wait_for_work(std::chrono::seconds limit);

    // GET /v1/keys, and pins what continues the chain. True if there was something new. Throws what
    // DispatcherPins::follow() throws, Error{refused} too if the dispatcher does not know the pinned key.
    bool follow_keys();

    // The dispatcher's clock minus ours, from its last verified reply.
    std::chrono::milliseconds clock_difference() const { return difference_; }

    // How often a request is sent before Error{network} is thrown (default 3, a second apart and doubling).
    void set_attempts(int attempts) { attempts_ = attempts; }

  private:
    Json ask(const char* type, Json body);
    Message request_to(const Party& dispatcher, const char* type, const Json& body) const;
    Message send_once(const Message& request);
    Message open_reply(BytesView sealed);
    void look_for_newer_keys(const Message& reply);
    bool try_to_follow();
    std::string authorization() const;

    std::string url_;
    Party me_;
    std::shared_ptr<DispatcherPins> pins_;
    Gate gate_;
    const Clock& clock_;
    KeyNews news_;
    bool refused_keys_ = false;
    int attempts_ = 3;
    std::chrono::milliseconds difference_{0};
};

}  // namespace strongroom::proto
