// Work on many like things by several threads: each takes the next index until there is none, or until one of
// them failed.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>

namespace strongroom {

class SharedWork {
  public:
    explicit SharedWork(std::size_t count) : count_(count) {}
    SharedWork(const SharedWork&) = delete;

    // For the body: an index that nobody else gets, in order; none after the last, or once a body has thrown.
    std::optional<std::size_t> next();
    bool failed() const { return failed_; }

    // Runs `body` in up to `threads` threads, not more than there are things, and waits for all of them.
    // Rethrows the first exception.
    void run(std::size_t threads, const std::function<void()>& body);

  private:
    void fail(std::exception_ptr failure);

    const std::size_t count_;
    std::atomic<std::size_t> next_ = 0;
    std::atomic<bool> failed_ = false;
    std::mutex mutex_;  // failure_
    std::exception_ptr failure_;
};

// At least 1.
std::size_t processors();

}  // namespace strongroom
