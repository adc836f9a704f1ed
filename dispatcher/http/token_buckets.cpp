#include "dispatcher/http/token_buckets.hpp"

#include <algorithm>

namespace strongroom::dispatcher {

void TokenBuckets::fill(Bucket& bucket, Time now) const {
    const std::chrono::duration<double> passed = now - bucket.filled;
    bucket.tokens = std::min(burst_, bucket.tokens + passed.count() * per_second_);
    bucket.filled = now;
}

TokenBuckets::Bucket* TokenBuckets::find(const std::string& key, Time now) {
    if (const auto known = buckets_.find(key); known != buckets_.end()) {
        fill(known->second, now);
        return &known->second;
    }
    if (buckets_.size() >= max_keys_ && now >= next_clean_) {
        next_clean_ = now + std::chrono::seconds(1);  // a look at all of them is dear
        std::erase_if(buckets_, [&](const auto& entry) {
            Bucket bucket = entry.second;
            fill(bucket, now);
            return bucket.tokens >= burst_;
        });
    }
    if (buckets_.size() >= max_keys_) return nullptr;
    return &buckets_.emplace(key, Bucket{burst_, now}).first->second;
}

bool TokenBuckets::take(const std::string& key, Time now) {
    Bucket* bucket = find(key, now);
    if (bucket == nullptr || bucket->tokens < 1) return false;
    bucket->tokens -= 1;
    return true;
}

void TokenBuckets::charge(const std::string& key, Time now, double tokens) {
    if (Bucket* bucket = find(key, now)) bucket->tokens = std::max(0.0, bucket->tokens - tokens);
}

}  // namespace strongroom::dispatcher
