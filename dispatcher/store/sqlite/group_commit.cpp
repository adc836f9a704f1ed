#include "dispatcher/store/sqlite/group_commit.hpp"

#include <algorithm>

namespace strongroom::dispatcher {

void GroupCommit::run(const Store::Work& work) {
    Entry mine{&work, nullptr, false};
    std::unique_lock lock(mutex_);
    queue_.push_back(&mine);
    while (!mine.finished) {
        if (leading_)
            changed_.wait(lock);
        else
            lead(lock);
    }
    lock.unlock();
    if (mine.failure) std::rethrow_exception(mine.failure);
}

void GroupCommit::lead(std::unique_lock<std::mutex>& lock) {
    leading_ = true;
    const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), largest_batch));
    const std::vector<Entry*> batch(queue_.begin(), queue_.begin() + count);
    queue_.erase(queue_.begin(), queue_.begin() + count);
    lock.unlock();
    std::exception_ptr failure;
    try {
        batch_(batch);
    } catch (...) {
        failure = std::current_exception();
    }
    lock.lock();
    for (auto* entry : batch) {
        if (failure) entry->failure = failure;
        entry->finished = true;
    }
    leading_ = false;
    changed_.notify_all();
}

}  // namespace strongroom::dispatcher
