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
#include <string>

#include "common/base/clock.hpp"
#include "common/base/secret.hpp"
#include "proto/sealed.hpp"

namespace strongroom::proto {

// What stands in the Authorization header.
struct Gate {
    enum class Kind { bearer, registration } kind;
    Secret value;
};

class Exchange {
  public:
    Exchange(std::string url, Party me, Party dispatcher, Gate gate, const Clock& clock);

    template <class Request>
    typename Request::Reply ask(const Request& request) {
        return from_json<typename Request::Reply>(ask(Request::type, to_json(request)));
    }

    // GET /v1/wait: true if there is work, false after `limit` (at most 55 s). Throws Error{network}.
    bool wait_for_work(std::chrono::seconds limit);

    // The dispatcher's clock minus ours, from its last verified reply.
    std::chrono::milliseconds clock_difference() const { return difference_; }

    // How often a request is sent before Error{network} is thrown (default 3, a second apart and doubling).
    void set_attempts(int attempts) { attempts_ = attempts; }

  private:
    Json ask(const char* type, Json body);
    Message send_once(const Message& request);
    std::string authorization() const;

    std::string url_;
    Party me_;
    Party dispatcher_;
    Gate gate_;
    const Clock& clock_;
    int attempts_ = 3;
    std::chrono::milliseconds difference_{0};
};

}  // namespace strongroom::proto
