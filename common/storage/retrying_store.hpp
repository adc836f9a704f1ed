// Does an operation on a store again when that can help: the one place that knows which errors those are.
//
// Every operation is whole objects or a question, so doing it twice does no harm: a put that broke in the
// middle, or whose answer was lost, is replaced by the next. A write that was left alone (Error{timeout}) is
// not repeated: it may still be going on.
#pragma once

#include <atomic>
#include <chrono>
#include <stop_token>

#include "common/base/error.hpp"
#include "common/base/steady_time.hpp"
#include "common/storage/forwarding_store.hpp"
#include "common/storage/metered_store.hpp"

namespace strongroom::storage {

// network and busy; storage if a system call failed, unless for what will not change by itself: no
// permission, a read-only or full file system, a name that cannot be.
bool is_worth_retrying(const Error& error);

struct RetryPolicy {
    int attempts = 6;                            // in all; 1: no retry
    std::chrono::milliseconds first_pause{500};  // doubled each time, with jitter
    std::chrono::milliseconds longest_pause{std::chrono::seconds(30)};
    std::chrono::milliseconds total{std::chrono::minutes(5)};  // from the first attempt to the last
};

class RetryingStore : public ForwardingStore {
  public:
    // Waiting ends early, with the error at hand, when `stop` is requested. `time` must outlive this, and so
    // must `meter`, if there is one.
    RetryingStore(std::shared_ptr<ObjectStore> inner, RetryPolicy policy, std::stop_token stop = {},
                  SteadyTime& time = steady_time(), StoreMeter* meter = nullptr);

    void put(const std::string& key, BytesView bytes) override;
    void put_from(const std::string& key, MemFile& from) override;
    MemFile get(const std::string& key, std::size_t max) override;
    void get_into(const std::string& key, std::size_t max, MemFile& into) override;
    std::optional<ObjectInfo> stat(const std::string& key) override;
    std::vector<ObjectInfo> list(const std::string& prefix) override;
    std::vector<std::string> list_folders(const std::string& prefix) override;
    void remove(const std::string& key) override;
    KeptVersions kept_versions(const std::string& prefix) override;

    std::int64_t retries() const { return retries_; }  // so far, of all operations

  private:
    template <class Function>
    auto persist(const char* what, const std::string& key, Function function);
    // False if it is not to be tried again.
    bool pause_after(const Error& error, const char* what, const std::string& key, int attempt,
                     SteadyTime::Point start);

    const RetryPolicy policy_;
    const std::stop_token stop_;
    SteadyTime& time_;
    StoreMeter* const meter_;
    std::atomic<std::int64_t> retries_ = 0;
    std::atomic<bool> down_ = false;  // retries ran out and nothing worked since: one attempt each
};

}  // namespace strongroom::storage
