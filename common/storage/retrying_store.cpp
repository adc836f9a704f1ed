#include "common/storage/retrying_store.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"

namespace strongroom::storage {
namespace {

constexpr std::array lasting{EACCES,       EPERM,   EROFS,  ENOSPC, EDQUOT, EFBIG,
                             ENAMETOOLONG, ENOTDIR, EISDIR, ELOOP,  EINVAL};

// Between half of it and all of it: workers that failed together do not come back together.
std::chrono::milliseconds with_jitter(std::chrono::milliseconds pause) {
    thread_local std::minstd_rand random{std::random_device{}()};
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(pause.count() / 2, pause.count())(random));
}

}  // namespace

bool is_worth_retrying(const Error& error) {
    if (error.kind() == ErrorKind::network || error.kind() == ErrorKind::busy) return true;
    return error.kind() == ErrorKind::storage && error.system_code() != 0 &&
           std::ranges::find(lasting, error.system_code()) == lasting.end();
}

RetryingStore::RetryingStore(std::shared_ptr<ObjectStore> inner, RetryPolicy policy, std::stop_token stop,
                             SteadyTime& time, StoreMeter* meter)
    : ForwardingStore(std::move(inner)),
      policy_(policy),
      stop_(std::move(stop)),
      time_(time),
      meter_(meter) {}

bool RetryingStore::pause_after(const Error& error, const char* what, const std::string& key, int attempt,
                                SteadyTime::Point start) {
    if (!is_worth_retrying(error) || down_) return false;
    auto pause = policy_.first_pause;
    for (int i = 1; i < attempt && pause < policy_.longest_pause; ++i) pause *= 2;
    pause = with_jitter(std::min(pause, policy_.longest_pause));
    if (attempt >= policy_.attempts || time_.now() + pause - start > policy_.total) {
        down_ = true;
        return false;
    }
    log_event(Level::warning, "STORE_RETRIED", "{} of {}, attempt {} of {}: {}; again in {}", what, key,
              attempt, policy_.attempts, error.text(), format_duration(pause));
    ++retries_;
    if (meter_ != nullptr) meter_->add_retry();
    return time_.sleep(pause, stop_);
}

template <class Function>
auto RetryingStore::persist(const char* what, const std::string& key, Function function) {
    const auto start = time_.now();
    for (int attempt = 1;; ++attempt) {
        try {
            if constexpr (std::is_void_v<decltype(function())>) {
                function();
                down_ = false;
                return;
            } else {
                auto out = function();
                down_ = false;
                return out;
            }
        } catch (const Error& error) {
            if (pause_after(error, what, key, attempt, start)) continue;
            if (attempt == 1) throw;
            throw Error(error.kind(), error.text() + " (after " + std::to_string(attempt) + " attempts)",
                        error.hint())
                .with_system_code(error.system_code());
        }
    }
}

void RetryingStore::put(const std::string& key, BytesView bytes) {
    persist("put", key, [&] { inner().put(key, bytes); });
}
void RetryingStore::put_from(const std::string& key, MemFile& from) {
    persist("put", key, [&] { inner().put_from(key, from); });
}
MemFile RetryingStore::get(const std::string& key, std::size_t max) {
    return persist("get", key, [&] { return inner().get(key, max); });
}
void RetryingStore::get_into(const std::string& key, std::size_t max, MemFile& into) {
    persist("get", key, [&] { inner().get_into(key, max, into); });
}
std::optional<ObjectInfo> RetryingStore::stat(const std::string& key) {
    return persist("stat", key, [&] { return inner().stat(key); });
}
std::vector<ObjectInfo> RetryingStore::list(const std::string& prefix) {
    return persist("list", prefix, [&] { return inner().list(prefix); });
}
std::vector<std::string> RetryingStore::list_folders(const std::string& prefix) {
    return persist("list", prefix, [&] { return inner().list_folders(prefix); });
}
void RetryingStore::remove(const std::string& key) {
    persist("remove", key, [&] { inner().remove(key); });
}
KeptVersions RetryingStore::kept_versions(const std::string& prefix) {
    return persist("list of versions", prefix, [&] { return inner().kept_versions(prefix); });
}

}  // namespace strongroom::storage
