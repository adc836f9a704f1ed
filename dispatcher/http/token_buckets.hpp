// Rate limits, one bucket for each key (an address, an identity): a bucket holds `burst` tokens and fills by
// `per_second`. Not thread-safe. Memory is bounded: full buckets are forgotten, since a new one is full, too.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace strongroom::dispatcher {

class TokenBuckets {
  public:
    using Time = std::chrono::steady_clock::time_point;

    TokenBuckets(double per_second, double burst, std::size_t max_keys)
        : per_second_(per_second), burst_(burst), max_keys_(max_keys) {}

    // Takes one token; false if there is none. Also false for a new key while `max_keys` others are not full.
    bool take(const std::string& key, Time now);
    // Takes more tokens, down to an empty bucket: what a request has cost after all.
    void charge(const std::string& key, Time now, double tokens);
    std::size_t size() const { return buckets_.size(); }

  private:
    struct Bucket {
        double tokens;
        Time filled;
    };
    Bucket* find(const std::string& key, Time now);
    void fill(Bucket& bucket, Time now) const;

    double per_second_;
    double burst_;
    std::size_t max_keys_;
    std::unordered_map<std::string, Bucket> buckets_;
    Time next_clean_{};
};

}  // namespace strongroom::dispatcher
