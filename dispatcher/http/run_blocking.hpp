// Blocking work for a coroutine. Only this folder's files include this.
#pragma once

#include <functional>
#include <optional>

#include "common/base/log.hpp"
#include "dispatcher/http/refusals.hpp"
#include "dispatcher/http/session.hpp"

namespace strongroom::dispatcher {

// Runs `work` on the pool and comes back to this thread. False if the queue is full.
boost::asio::awaitable<bool> run_blocking(Shared& shared, WorkPool& pool, std::function<void()> work);

// What the gate said.
template <class Admitted>
struct Gate {
    std::optional<Admitted> admission;
    Answer refusal;
};

// Asks the gate, on the thread for that.
template <class Admitted>
boost::asio::awaitable<Gate<Admitted>> ask_gate(Shared& shared, std::function<Admitted()> ask) {
    Gate<Admitted> gate;
    std::function<void()> work = [&gate, &ask] {
        try {
            gate.admission = ask();
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::unauthenticated)
                log_event(Level::error, "DISPATCHER_GATE_FAILED", "{}", error.text());
            gate.refusal = plain_error(error);
        } catch (const std::exception& error) {
            log_event(Level::error, "DISPATCHER_GATE_FAILED", "{}", error.what());
            gate.refusal = plain_error(Error(ErrorKind::internal, error.what()));
        }
    };
    const bool ran = co_await run_blocking(shared, shared.gate_pool, std::move(work));
    if (!ran) gate.refusal = busy();
    co_return gate;
}

}  // namespace strongroom::dispatcher
