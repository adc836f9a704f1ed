// The trap of g++ 12.2 that session.cpp names is one here, too.
#include "dispatcher/http/long_poll.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>

#include "dispatcher/http/refusals.hpp"
#include "dispatcher/http/run_blocking.hpp"

namespace strongroom::dispatcher {
namespace {

namespace asio = boost::asio;

using Steady = std::chrono::steady_clock;
using Ms = std::chrono::milliseconds;

constexpr int longest_wait = 55;               // seconds
constexpr std::chrono::minutes look_again{5};  // in case that somebody else changed the store

// As if it had looked some time ago: thousands that arrive together look again at different times.
Steady::time_point looked_before(Steady::time_point now, const std::string& server) {
    return now - std::chrono::milliseconds(std::hash<std::string>()(server) % Ms(look_again).count());
}

// Many waits end at the same moment, so that one wake-up of this thread serves them all.
Steady::time_point end_of_wait(Steady::time_point now, int seconds) {
    constexpr Ms even{250};
    const auto end = std::chrono::ceil<Ms>((now + std::chrono::seconds(seconds)).time_since_epoch());
    return Steady::time_point((end + even - Ms(1)) / even * even);
}

// In the list of those who wait.
class Standing {
  public:
    Standing(Shared& shared, std::string server, Waiters::Waiter& waiter)
        : shared_(shared), server_(std::move(server)), waiter_(waiter) {
        shared_.waiters.add(server_, waiter_);
        shared_.metrics.waiters(1);
    }
    ~Standing() {
        shared_.waiters.remove(server_, waiter_);
        shared_.metrics.waiters(-1);
    }
    Standing(const Standing&) = delete;

  private:
    Shared& shared_;
    std::string server_;
    Waiters::Waiter& waiter_;
};

}  // namespace

int wait_seconds(std::string_view target) {
    constexpr std::string_view prefix = "/v1/wait?seconds=";
    if (!target.starts_with(prefix)) return 0;
    const std::string_view digits = target.substr(prefix.size());
    if (digits.empty() || digits.size() > 2) return 0;
    int out = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return 0;
        out = out * 10 + (c - '0');
    }
    return out <= longest_wait ? out : 0;
}

asio::awaitable<Answer> wait_for_work(Shared& shared, Present& present, std::optional<KnownWaiter>& known,
                                      std::string authorization, int seconds) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto now = Steady::now();
    const bool look = !known || known->authorization != authorization ||
                      known->wakes != shared.waiters.wakes() || now - known->looked > look_again;
    std::function<WaitingAgent()> ask = [&shared, &authorization] {
        return shared.api.admit_waiting(authorization);
    };
    bool work = false;
    const std::uint64_t wakes = shared.waiters.wakes();
    if (look) {
        const Gate<WaitingAgent> gate = co_await ask_gate(shared, ask);
        if (!gate.admission) {
            known.reset();
            co_return gate.refusal;
        }
        const std::string& server = gate.admission->server;
        const bool again = known.has_value();
        known.emplace(KnownWaiter{authorization, server, 0, again ? now : looked_before(now, server)});
        work = gate.admission->work != 0;
        present.is_known();
    } else {
        shared.api.still_waits(known->server);
    }
    Waiters::Waiter waiter{asio::steady_timer(executor, end_of_wait(now, seconds))};
    const Standing standing(shared, known->server, waiter);
    // Who was woken meanwhile may have been this agent.
    waiter.woken = shared.waiters.wakes() != wakes;
    Answer answer;
    answer.status = 204;
    while (!work) {
        if (!waiter.woken && !shared.draining) {
            boost::system::error_code ignored;
            co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        if (!waiter.woken || shared.draining) break;
        waiter.woken = false;
        const Gate<WaitingAgent> gate = co_await ask_gate(shared, ask);
        if (!gate.admission) {
            known.reset();
            co_return gate.refusal;
        }
        work = gate.admission->work != 0;
    }
    known->wakes = shared.waiters.wakes();
    if (work) {
        known->looked = {};  // the next poll looks
        answer.status = 200;
        answer.content_type = "application/json";
        answer.body = "{\"work\":true}\n";
    }
    co_return answer;
}

}  // namespace strongroom::dispatcher
