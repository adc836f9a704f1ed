// Runs something that may hang for ever, such as a write to a mount whose server is gone: nothing can end a
// thread that sits in such a system call, but one need not wait for it.
#pragma once

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>

namespace strongroom {

enum class Abandoned { timeout, stopped };

struct Patience {
    std::chrono::milliseconds limit;
    std::stop_token stop{};
    std::chrono::milliseconds grace = std::chrono::seconds(5);  // after a request to stop
};

// The value of `function`, which runs in a thread of its own, or whatever it throws. When patience ends,
// `give_up(Abandoned)` is called and must throw. `function` may still be running then, for ever perhaps:
// everything it refers to must be its own (shared pointers, copies).
template <class Function, class GiveUp>
std::invoke_result_t<Function> run_abandonable(const Patience& patience, Function function, GiveUp give_up) {
    using Steady = std::chrono::steady_clock;
    std::packaged_task<std::invoke_result_t<Function>()> task(std::move(function));
    auto result = task.get_future();  // unlike that of std::async, its destructor does not wait
    std::thread(std::move(task)).detach();
    const auto start = Steady::now();
    std::optional<Steady::time_point> asked_to_stop;
    for (;;) {
        const auto slice = std::min(patience.limit, std::chrono::milliseconds(100));
        if (result.wait_for(slice) == std::future_status::ready) return result.get();
        const auto now = Steady::now();
        if (patience.stop.stop_requested() && !asked_to_stop) asked_to_stop = now;
        if (now - start >= patience.limit) give_up(Abandoned::timeout);
        if (asked_to_stop && now - *asked_to_stop >= patience.grace) give_up(Abandoned::stopped);
    }
}

}  // namespace strongroom
