#include "common/base/rate_limiter.hpp"

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "tests/support/fake_time.hpp"

using namespace strongroom;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t mib = 1 << 20;

}  // namespace

TEST_CASE("bytes pass at the rate, whatever their pieces") {
    const std::int64_t piece = GENERATE(64 << 10, 1 << 20, 10 << 20);
    test::FakeTime time;
    RateLimiter limiter(5 * mib, time);
    for (std::int64_t done = 0; done < 50 * mib; done += piece) REQUIRE(limiter.take(piece));
    CHECK(time.seconds() == Approx(10.0).margin(0.3));
    CHECK(limiter.passed() >= 50 * mib);
}

TEST_CASE("idle time saves up one second at most") {
    test::FakeTime time;
    RateLimiter limiter(mib, time);
    time.advance(1h);
    limiter.take(11 * mib);
    CHECK(time.seconds() - 3600 == Approx(10.0).margin(0.3));
}

TEST_CASE("without a limit nothing waits, and bytes are counted all the same") {
    test::FakeTime time;
    RateLimiter limiter(0, time);
    CHECK(limiter.take(INT64_C(1) << 40));
    CHECK(time.waits.empty());
    CHECK(limiter.passed() == INT64_C(1) << 40);
}

TEST_CASE("a new rate counts at once for a piece that waits") {
    test::FakeTime time;
    RateLimiter limiter(mib, time);
    SECTION("faster") {
        time.on_wait = [&] { time.on_wait = nullptr; };
        limiter.take(2 * mib);
        const double before = time.seconds();
        limiter.set_rate(100 * mib);
        limiter.take(100 * mib);
        CHECK(time.seconds() - before == Approx(1.0).margin(0.3));
    }
    SECTION("slower: what was saved up does not outlive the old rate") {
        limiter.set_rate(100 * mib);
        time.advance(10s);
        limiter.set_rate(mib);
        const double before = time.seconds();
        limiter.take(10 * mib);
        CHECK(time.seconds() - before >= 8.5);
    }
}

TEST_CASE("taking a limit away or stopping frees who waits, in real time") {
    RateLimiter limiter(1000);
    std::stop_source stop;
    bool first = false;
    bool second = true;
    std::thread a([&] { first = limiter.take(INT64_C(1) << 40); });
    std::this_thread::sleep_for(50ms);
    std::thread b([&] { second = limiter.take(INT64_C(1) << 40, stop.get_token()); });
    std::this_thread::sleep_for(50ms);
    const auto start = std::chrono::steady_clock::now();
    stop.request_stop();
    b.join();
    limiter.set_rate(0);
    a.join();
    CHECK(first);
    CHECK_FALSE(second);
    CHECK(std::chrono::steady_clock::now() - start < 2s);
}

TEST_CASE("parallel workers get equal shares, and together the rate") {
    RateLimiter limiter(64 * mib);
    std::vector<std::int64_t> got(4, 0);
    std::stop_source stop;
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> workers;
    for (auto& mine : got)
        workers.emplace_back([&limiter, &mine, token = stop.get_token()] {
            while (limiter.take(mib, token)) mine += mib;
        });
    std::this_thread::sleep_for(2s);
    stop.request_stop();
    for (auto& worker : workers) worker.join();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::int64_t sum = 0;
    for (const auto mine : got) sum += mine;
    INFO("bytes " << got[0] << " " << got[1] << " " << got[2] << " " << got[3] << " in " << seconds << " s");
    CHECK(static_cast<double>(sum) <= 64.0 * mib * seconds * 1.05);
    CHECK(static_cast<double>(sum) >= 64.0 * mib * seconds * 0.5);  // a loaded machine may be late
    for (const auto mine : got) CHECK(std::abs(mine - sum / 4) <= 2 * mib);
}
