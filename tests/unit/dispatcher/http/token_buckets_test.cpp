#include "dispatcher/http/token_buckets.hpp"

#include <catch2/catch.hpp>

using strongroom::dispatcher::TokenBuckets;
using namespace std::chrono_literals;

TEST_CASE("token buckets: a burst, then the rate, each key for itself") {
    TokenBuckets buckets(2, 5, 100);
    TokenBuckets::Time now{1h};
    for (int i = 0; i < 5; ++i) CHECK(buckets.take("a", now));
    CHECK_FALSE(buckets.take("a", now));
    CHECK(buckets.take("b", now));  // not b's fault
    CHECK_FALSE(buckets.take("a", now + 499ms));
    CHECK(buckets.take("a", now + 501ms));
    CHECK_FALSE(buckets.take("a", now + 502ms));
    now += 1h;
    for (int i = 0; i < 5; ++i) CHECK(buckets.take("a", now));  // never more than the burst
    CHECK_FALSE(buckets.take("a", now));
}

TEST_CASE("token buckets: what was dear is charged, down to an empty bucket and not below") {
    TokenBuckets buckets(1, 10, 100);
    TokenBuckets::Time now{1h};
    buckets.charge("a", now, 1000);
    CHECK_FALSE(buckets.take("a", now));
    CHECK(buckets.take("a", now + 1s));
}

TEST_CASE("token buckets: a million keys do not grow the table") {
    TokenBuckets buckets(1, 2, 1000);
    TokenBuckets::Time now{1h};
    for (int i = 0; i < 1'000'000; ++i) {
        buckets.take(std::to_string(i), now);
        now += 10us;
    }
    CHECK(buckets.size() <= 1000);
    CHECK(buckets.take("later", now + 1h));  // the table is not stuck
}
