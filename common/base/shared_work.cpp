#include "common/base/shared_work.hpp"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

namespace strongroom {

std::optional<std::size_t> SharedWork::next() {
    if (failed_) return std::nullopt;
    const std::size_t index = next_++;
    if (index >= count_) return std::nullopt;
    return index;
}

void SharedWork::fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    failed_ = true;
}

void SharedWork::run(std::size_t threads, const std::function<void()>& body) {
    {
        std::vector<std::jthread> workers;
        try {
            for (std::size_t i = 0; i < std::min(threads, count_); ++i)
                workers.emplace_back([&] {
                    try {
                        body();
                    } catch (...) {
                        fail(std::current_exception());
                    }
                });
        } catch (...) {
            fail(std::current_exception());
        }
    }
    if (failure_) std::rethrow_exception(failure_);
}

std::size_t processors() {
    return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace strongroom
