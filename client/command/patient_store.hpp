// The store that a command reads: failures that pass are retried, one that hangs is given up, and Ctrl-C ends
// the waiting.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "client/command/context.hpp"
#include "common/storage/open/open_store.hpp"

namespace strongroom::client {

class PatientStore {
  public:
    // `read_limit`: bytes per second, 0: none. Throws as open_guarded_store().
    // `as_of`: a time like 2026-11-22T01:37:00Z, for a store that keeps versions; empty: now.
    PatientStore(Context& context, const std::string& url, std::int64_t read_limit = 0,
                 const std::string& as_of = {});

    storage::ObjectStore& operator*() { return *store_; }
    storage::ObjectStore* operator->() { return store_.get(); }
    // What was read so far: for people, and as {"objects", "bytes", "attempts_repeated"}.
    std::string summary() const;
    Json summary_json() const;

  private:
    std::stop_source interrupted_;
    RateLimiter reads_;
    storage::StoreMeter meter_;
    std::jthread watch_;  // asks for Ctrl-C while a thread of the restore waits
    std::shared_ptr<storage::RetryingStore> store_;
};

}  // namespace strongroom::client
