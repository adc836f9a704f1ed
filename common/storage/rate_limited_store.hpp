// Keeps writes to a store, and reads from it, to a rate. An object waits before it is written and after it
// was read, whole: the limit holds over seconds, not within one object. Fair over parallel workers.
#pragma once

#include <stop_token>

#include "common/base/rate_limiter.hpp"
#include "common/storage/forwarding_store.hpp"

namespace strongroom::storage {

class RateLimitedStore : public ForwardingStore {
  public:
    // A null limiter: that direction is not limited. The limiters must outlive this. Who waits when `stop` is
    // requested gets Error{interrupted}.
    RateLimitedStore(std::shared_ptr<ObjectStore> inner, RateLimiter* writes, RateLimiter* reads,
                     std::stop_token stop = {})
        : ForwardingStore(std::move(inner)), writes_(writes), reads_(reads), stop_(std::move(stop)) {}

    void put(const std::string& key, BytesView bytes) override;
    void put_from(const std::string& key, MemFile& from) override;
    MemFile get(const std::string& key, std::size_t max) override;
    void get_into(const std::string& key, std::size_t max, MemFile& into) override;

  private:
    void pay(RateLimiter* limiter, std::size_t bytes, const std::string& key) const;
    RateLimiter* writes_;
    RateLimiter* reads_;
    std::stop_token stop_;
};

}  // namespace strongroom::storage
