// GET /v1/wait after its gate. Only this folder's files include this.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/http/present.hpp"

namespace strongroom::dispatcher {

// seconds=N of the wait's query, or 0.
int wait_seconds(std::string_view target);

// An agent whose last poll on this connection found no work. Nobody was woken since, so there is none, and
// its next poll needs neither the gate's thread nor the store.
struct KnownWaiter {
    std::string authorization;
    std::string server;
    std::uint64_t wakes = 0;
    std::chrono::steady_clock::time_point looked;
};

// GET /v1/wait to its answer: the gate, a look for work, and waiting without gpg and without the store:
// thousands of idle agents cost sockets, not CPU. `known` is read and written; without a value the gate
// refused.
boost::asio::awaitable<Answer> wait_for_work(Shared& shared, Present& present,
                                             std::optional<KnownWaiter>& known, std::string authorization,
                                             int seconds);

}  // namespace strongroom::dispatcher
