#include "common/backupset/segment_fetcher.hpp"

#include <algorithm>
#include <utility>

#include "common/backupset/segment_reader.hpp"
#include "common/base/error.hpp"

namespace strongroom::backupset {

SegmentFetcher::SegmentFetcher(const Manifest& manifest, storage::ObjectStore& store, std::size_t fetches,
                               std::size_t held)
    : manifest_(manifest), store_(store) {
    const std::size_t count = manifest.segments.size();
    for (std::size_t i = 0; i < std::min(held, count); ++i) free_.emplace_back("stored");
    try {
        for (std::size_t i = 0; i < std::min(fetches, count); ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {
        stop();
        for (auto& thread : threads_) thread.join();
        throw;
    }
}

SegmentFetcher::~SegmentFetcher() {
    stop();
    for (auto& thread : threads_) thread.join();
}

MemFile SegmentFetcher::take(std::size_t index) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return results_.contains(index) || (stopped_ && index >= next_); });
    if (!results_.contains(index)) throw Error(ErrorKind::interrupted, "not needed any more");
    auto result = std::move(results_.extract(index).mapped());
    if (auto* failure = std::get_if<std::exception_ptr>(&result)) std::rethrow_exception(*failure);
    return std::move(std::get<MemFile>(result));
}

void SegmentFetcher::give_back(MemFile stored) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(stored));
    room_.notify_one();
}

void SegmentFetcher::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    ready_.notify_all();
    room_.notify_all();
}

SegmentFetcher::Result SegmentFetcher::fetch(Claim& claimed) {
    try {
        fetch_verified(manifest_, store_, manifest_.segments[claimed.index], claimed.memory);
        return std::move(claimed.memory);
    } catch (...) {
        stop();
        return std::current_exception();
    }
}

void SegmentFetcher::work() {
    while (auto claimed = claim()) {
        Result result = fetch(*claimed);
        const std::lock_guard lock(mutex_);
        results_.emplace(claimed->index, std::move(result));
        ready_.notify_all();
    }
}

// Memory and number under one lock: whoever holds memory has the lowest segment that is not begun.
std::optional<SegmentFetcher::Claim> SegmentFetcher::claim() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return stopped_ || next_ == manifest_.segments.size() || !free_.empty(); });
    if (stopped_ || next_ == manifest_.segments.size()) return std::nullopt;
    Claim out{next_++, std::move(free_.back())};
    free_.pop_back();
    if (next_ == manifest_.segments.size()) room_.notify_all();
    return out;
}

}  // namespace strongroom::backupset
