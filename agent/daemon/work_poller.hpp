// Waits on the dispatcher's long poll in a thread of its own, so that the daemon can stop at once. What it
// learns is only a hint: nothing is done before a verified message says so.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
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
    // Ends a wait() of another thread early.
    void wake();

  private:
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        bool work = false;
        bool woken = false;
        bool ending = false;
    };
    static void run(const std::shared_ptr<Shared>& shared, const std::function<proto::Exchange()>& connect);
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace strongroom::agent
