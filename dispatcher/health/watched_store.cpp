#include "dispatcher/health/watched_store.hpp"

#include "common/base/log.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::chrono::seconds probe_counts{1};

bool is_of_the_store(ErrorKind kind) {
    return kind == ErrorKind::storage || kind == ErrorKind::busy || kind == ErrorKind::corrupt;
}

}  // namespace

void WatchedStore::transact(const Work& work) {
    watch(work, &Store::transact);
}

void WatchedStore::read(const Work& work) {
    watch(work, &Store::read);
}

void WatchedStore::watch(const Work& work, void (Store::*verb)(const Work&)) {
    bool of_the_work = false;  // what the work itself throws is not the store's failure
    const Work marked = [&](Transaction& tx) {
        of_the_work = false;
        try {
            work(tx);
        } catch (const Error&) {
            of_the_work = true;
            throw;
        }
    };
    try {
        (inner_.*verb)(marked);
    } catch (const Error& error) {
        if (!of_the_work && is_of_the_store(error.kind())) failed(error);
        throw;
    }
}

void WatchedStore::failed(const Error& error) {
    const std::lock_guard lock(mutex_);
    metrics_.store_failed(error.kind());
    metrics_.ready(false);
    if (!failing_) log_event(Level::error, "DISPATCHER_STORE_FAILED", "{}. {}", error.text(), error.hint());
    failing_ = true;
}

bool WatchedStore::failing() const {
    const std::lock_guard lock(mutex_);
    return failing_;
}

void WatchedStore::require_writable(std::int64_t now) {
    const std::lock_guard lock(probing_);
    const auto start = std::chrono::steady_clock::now();
    if (probed_ && start - *probed_ < probe_counts && !failing()) return;
    probed_.reset();
    watch([now](Transaction& tx) { tx.put_service_value("writable", std::to_string(now)); },
          &Store::transact);
    probed_ = std::chrono::steady_clock::now();
    const std::lock_guard state(mutex_);
    if (failing_) log_event(Level::info, "DISPATCHER_STORE_BACK", "the database can be written again");
    failing_ = false;
    metrics_.ready(true);
}

}  // namespace strongroom::dispatcher
