// Waits on the dispatcher's long poll in a thread of its own, so that the daemon can stop at once. What it
// learns is only a hint: nothing is done before a verified message says so.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "proto/exchange.hpp"

namespace strongroom::agent {

class WorkPoller {
  public:
    // `connect` is called in the poller's thread and everything that it refers to must live as long as the
    // process: an ended poller's thread may still sit in its last request, so the process must leave
    // through std::_Exit.
    explicit WorkPoller(std::function<proto::Exchange()> connect);
    ~WorkPoller();
    WorkPoller(const WorkPoller&) = delete;

    // Returns at a hint, at wake(), or after `limit`. True at a hint that there is work.
    bool wait(std::chrono::milliseconds limit);
    // From the first to the last of the polls that failed; 0: the last one was answered. A poll that goes on
    // for long has found the dispatcher.
    std::chrono::milliseconds failing_for() const;
    // How long it was that the polls failed, once after they are answered again.
    std::optional<std::chrono::milliseconds> take_outage();
    // A job was handed out and is done: the next poll need not wait any longer.
    void got_work();
    // Ends a wait() of another thread early.
    void wake();

  private:
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        bool work = false;
        bool woken = false;
        bool got_work = false;
        std::optional<std::chrono::steady_clock::time_point> failing_since;
        std::chrono::milliseconds failing_for{0};
        std::optional<std::chrono::milliseconds> outage;
        bool ending = false;
    };
    static void run(Shared& shared, const std::function<proto::Exchange()>& connect);
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace strongroom::agent
