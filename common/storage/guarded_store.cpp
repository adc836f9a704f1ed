#include "common/storage/guarded_store.hpp"

#include "common/storage/rate_limited_store.hpp"
#include "common/storage/timeout_store.hpp"

namespace strongroom::storage {

std::shared_ptr<RetryingStore> guard_store(std::shared_ptr<ObjectStore> store, const Guard& guard) {
    auto timed = std::make_shared<TimeoutStore>(std::move(store), guard.timeout, guard.stop);
    std::shared_ptr<ObjectStore> metered = std::move(timed);
    if (guard.meter != nullptr) metered = std::make_shared<MeteredStore>(std::move(metered), *guard.meter);
    auto limited =
        std::make_shared<RateLimitedStore>(std::move(metered), guard.writes, guard.reads, guard.stop);
    return std::make_shared<RetryingStore>(std::move(limited), guard.retry, guard.stop, steady_time(),
                                           guard.meter);
}

}  // namespace strongroom::storage
