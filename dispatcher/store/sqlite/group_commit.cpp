#include "dispatcher/store/sqlite/group_commit.hpp"

#include <algorithm>

namespace strongroom::dispatcher {

void GroupCommit::run(const Store::Work& work) {
    Entry mine{&work, nullptr};
    std::unique_lock lock(mutex_);
    queue_.push_back(&mine);
    if (leading_)
        mine.turn.wait(lock, [&] { return mine.finished || mine.leads; });
    else
        leading_ = true;
    if (!mine.finished) lead(lock, mine);
    lock.unlock();
    if (mine.failure) std::rethrow_exception(mine.failure);
}

void GroupCommit::lead(std::unique_lock<std::mutex>& lock, Entry& mine) {
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
        if (entry != &mine) entry->turn.notify_one();
    }
    leading_ = !queue_.empty();
    if (!leading_) return;
    queue_.front()->leads = true;
    queue_.front()->turn.notify_one();
}

}  // namespace strongroom::dispatcher
