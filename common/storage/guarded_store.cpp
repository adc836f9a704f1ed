#include "common/storage/guarded_store.hpp"

#include "common/base/abandonable.hpp"
#include "common/base/clock.hpp"
#include "common/base/printable.hpp"
#include "common/storage/rate_limited_store.hpp"
#include "common/storage/timeout_store.hpp"

namespace strongroom::storage {

std::shared_ptr<RetryingStore> guard_store(std::shared_ptr<ObjectStore> store, const Guard& guard) {
    auto timed = std::make_shared<TimeoutStore>(std::move(store), guard.timeout, guard.stop);
    auto limited =
        std::make_shared<RateLimitedStore>(std::move(timed), guard.writes, guard.reads, guard.stop);
    return std::make_shared<RetryingStore>(std::move(limited), guard.retry, guard.stop);
}

std::shared_ptr<RetryingStore> open_guarded_store(const std::string& url, bool create, const Guard& guard) {
    const Patience patience{.limit = guard.timeout, .stop = guard.stop};
    const auto open = [url, create]() -> std::shared_ptr<ObjectStore> { return open_store(url, create); };
    auto store = run_abandonable(patience, open, [&](Abandoned why) {
        const std::string text = "opening the store " + printable_line(url);
        if (why == Abandoned::stopped) throw Error(ErrorKind::interrupted, text + " was stopped");
        throw Error(ErrorKind::timeout, text + " did not end within " + format_duration(patience.limit),
                    "See whether its mount hangs, or whether its server answers.");
    });
    return guard_store(std::move(store), guard);
}

}  // namespace strongroom::storage
