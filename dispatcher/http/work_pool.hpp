// Threads for blocking work (gpg, SQL) with a bounded queue: when it is full, work is refused at once instead
// of piling up (S14).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace strongroom::dispatcher {

class WorkPool {
  public:
    WorkPool(std::size_t threads, std::size_t max_queued);
    // Runs what is queued to its end, then joins.
    ~WorkPool();
    WorkPool(const WorkPool&) = delete;

    // False if the queue is full. `work` must not throw. Any thread.
    bool try_post(std::function<void()> work);

  private:
    void serve();

    std::size_t max_queued_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;
    bool closing_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace strongroom::dispatcher
