#include "common/backupset/rate_limited_source.hpp"

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "common/backupset/process_streams.hpp"
#include "common/base/error.hpp"
#include "tests/support/fake_time.hpp"
#include "tests/support/streams.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using namespace std::chrono_literals;

TEST_CASE("a source keeps to the rate, and its bytes stay the same") {
    test::FakeTime time;
    RateLimiter limiter(1 << 20, time);
    Bytes plain;
    for (int i = 0; plain.size() < (5U << 20U); ++i) plain += std::to_string(i);
    RateLimitedSource source(std::make_unique<test::BufferSource>(plain), limiter);
    Bytes got;
    std::vector<char> buffer(700'000);
    for (std::size_t count = 1; count > 0;) {
        count = source.read(buffer.data(), buffer.size());
        got.append(buffer.data(), count);
    }
    CHECK(got == plain);
    CHECK(time.seconds() == Approx(static_cast<double>(plain.size()) / (1 << 20)).margin(0.3));
    CHECK(limiter.passed() == static_cast<std::int64_t>(plain.size()));
}

TEST_CASE("an abort frees a read that waits for its share") {
    RateLimiter limiter(1024);
    RateLimitedSource source(std::make_unique<test::BufferSource>(Bytes(10 << 20, 'x')), limiter);
    std::thread aborts([&] {
        std::this_thread::sleep_for(100ms);
        source.abort();
    });
    std::vector<char> buffer(10 << 20);
    const auto start = std::chrono::steady_clock::now();
    CHECK_THROWS_WITH(source.read(buffer.data(), buffer.size()), "the source was stopped before its end");
    aborts.join();
    CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("a source that is held back, by a rate or by a slow store, does not count as hanging") {
    ProcessSource::Options options;
    options.name = "yes";
    options.spawn.argv = {"head", "-c", "3000000", "/dev/zero"};
    options.stall = 300ms;
    RateLimiter limiter(3 << 20);
    RateLimitedSource source(std::make_unique<ProcessSource>(std::move(options)), limiter);
    std::vector<char> buffer(1'000'000);
    std::size_t sum = 0;
    for (std::size_t got = 1; got > 0;) {
        sum += got = source.read(buffer.data(), buffer.size());
        std::this_thread::sleep_for(600ms);  // the store takes twice the time that silence may last
    }
    CHECK(sum == 3'000'000);
    CHECK_NOTHROW(source.finish());
}
