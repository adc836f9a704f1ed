#include "common/storage/rate_limited_store.hpp"

#include "common/base/error.hpp"

namespace strongroom::storage {

void RateLimitedStore::pay(RateLimiter* limiter, std::size_t bytes, const std::string& key) const {
    if (limiter != nullptr && !limiter->take(static_cast<std::int64_t>(bytes), stop_))
        throw Error(ErrorKind::interrupted, "object " + key + ": stopped while it waited for its share");
}

void RateLimitedStore::put(const std::string& key, BytesView bytes) {
    pay(writes_, bytes.size(), key);
    inner().put(key, bytes);
}

void RateLimitedStore::put_from(const std::string& key, MemFile& from) {
    pay(writes_, from.size(), key);
    inner().put_from(key, from);
}

MemFile RateLimitedStore::get(const std::string& key, std::size_t max) {
    MemFile out = inner().get(key, max);
    pay(reads_, out.size(), key);
    return out;
}

void RateLimitedStore::get_into(const std::string& key, std::size_t max, MemFile& into) {
    inner().get_into(key, max, into);
    pay(reads_, into.size(), key);
}

}  // namespace strongroom::storage
