// Writers that come while a transaction is being synced share the next one: one fsync for all of them, and
// each hears of its success only after that commit.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

class GroupCommit {
  public:
    struct Entry {
        const Store::Work* work;
        std::exception_ptr failure;  // set by the batch: this work's, or that of the whole transaction
        bool finished = false;
        bool leads = false;              // runs the next batch, itself first in it
        std::condition_variable turn{};  // its own: a commit wakes nobody whose turn it is not
    };
    // Runs all entries in one transaction and commits it. Runs on the thread of one of the callers, one at a
    // time. What it throws fails every entry.
    using Batch = std::function<void(std::span<Entry* const>)>;

    explicit GroupCommit(Batch batch) : batch_(std::move(batch)) {}

    // Returns after the commit, or throws what the work or the commit threw. Any thread; served in order.
    void run(const Store::Work& work);

  private:
    static constexpr std::size_t largest_batch = 128;

    void lead(std::unique_lock<std::mutex>& lock, Entry& mine);

    Batch batch_;
    std::mutex mutex_;
    std::deque<Entry*> queue_;
    bool leading_ = false;
};

}  // namespace strongroom::dispatcher
