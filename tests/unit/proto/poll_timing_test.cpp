#include "proto/poll_timing.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace strongroom::proto;
using namespace std::chrono_literals;

TEST_CASE("polls are of different lengths, below what proxies allow") {
    std::set<std::chrono::seconds> seen;
    PollTiming timing(7);
    for (int i = 0; i < 1000; ++i) seen.insert(timing.poll());
    CHECK(*seen.begin() == 40s);
    CHECK(*seen.rbegin() == 48s);
    CHECK(seen.size() == 9);
}

TEST_CASE("pauses grow until a poll ends without work, and differ between agents") {
    std::set<std::chrono::milliseconds> first;
    for (std::uint32_t agent = 1; agent <= 1000; ++agent) {
        PollTiming timing(agent);
        const auto pause = timing.pause();
        CHECK(pause >= 500ms);
        CHECK(pause <= 1500ms);
        first.insert(pause);
    }
    CHECK(first.size() > 300);
    PollTiming timing(1);
    for (int i = 0; i < 20; ++i) timing.pause();
    CHECK(timing.pause() >= 30s);
    CHECK(timing.pause() <= 90s);
    timing.begin_anew();
    CHECK(timing.pause() <= 1500ms);
}
