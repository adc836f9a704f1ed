// A store as programs use it: failures that pass are retried, rates are kept, and one that hangs is noticed.
//
//   retry -> rate limit -> meter -> time-out -> the store
//
// Each attempt of a retry pays its bytes, and the time that an object waits for its share is not counted as
// hanging.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "common/base/rate_limiter.hpp"
#include "common/storage/metered_store.hpp"
#include "common/storage/retrying_store.hpp"

namespace strongroom::storage {

inline constexpr std::chrono::minutes default_store_timeout{10};

struct Guard {
    std::chrono::milliseconds timeout = default_store_timeout;  // for one operation on one object
    RetryPolicy retry{};
    RateLimiter* writes = nullptr;  // null: no limit; must outlive the store
    RateLimiter* reads = nullptr;
    StoreMeter* meter = nullptr;  // null: nothing is counted; must outlive the store
    std::stop_token stop{};       // ends waiting
};

// Puts the decorators around a store that is open.
std::shared_ptr<RetryingStore> guard_store(std::shared_ptr<ObjectStore> store, const Guard& guard);

}  // namespace strongroom::storage
