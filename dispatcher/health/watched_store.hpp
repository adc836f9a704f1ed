// A store that notices whether it works: it counts what the database refuses and logs the first failure and
// the recovery, not each transaction between them. Only a write that reached the disk ends a failure:
// reading, and a transaction that changes nothing, may succeed on a full disk.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "common/base/error.hpp"
#include "dispatcher/metrics/metrics.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

class WatchedStore : public Store {
  public:
    // All must outlive it.
    WatchedStore(Store& inner, Metrics& metrics) : inner_(inner), metrics_(metrics) {}

    void transact(const Work& work) override;
    void read(const Work& work) override;

    // A success counts for a second, so that many who ask cost no more than one write a second.
    void require_writable(std::int64_t now) override;

    bool failing() const;  // since a failure, until require_writable() succeeds

  private:
    void watch(const Work& work, void (Store::*verb)(const Work&));
    void failed(const Error& error);

    Store& inner_;
    Metrics& metrics_;
    mutable std::mutex mutex_;
    bool failing_ = false;
    std::mutex probing_;  // one at a time
    std::optional<std::chrono::steady_clock::time_point> probed_;
};

}  // namespace strongroom::dispatcher
