#include "agent/daemon/contact_plan.hpp"

#include <catch2/catch.hpp>

#include "tests/support/fake_clock.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace std::chrono_literals;

namespace {

constexpr int hosts = 1000;

UtcTime start() {
    return parse_utc("2026-11-22T02:00:00Z");
}

// How many of a thousand plans are due at each of these times after the start.
template <class Prepare>
std::vector<int> due_after(const Prepare& prepare, const std::vector<std::chrono::milliseconds>& times) {
    std::vector<int> out(times.size());
    for (int host = 0; host < hosts; ++host) {
        ContactPlan plan(static_cast<std::uint32_t>(host + 1));
        prepare(plan);
        for (std::size_t i = 0; i < times.size(); ++i)
            if (plan.due(start() + times[i])) ++out[i];
    }
    return out;
}

void is_idle(ContactPlan& plan) {
    plan.succeeded(start() - 1min);
}

}  // namespace

TEST_CASE("an agent asks at its start, and then hardly ever without a reason") {
    CHECK(ContactPlan(1).due(start()));
    const auto due = due_after(is_idle, {0s, 2h, 4h, 6h});
    CHECK(due[0] == 0);
    CHECK(due[1] == 0);
    CHECK(due[2] > hosts / 5);
    CHECK(due[2] < hosts / 2);
    CHECK(due[3] == hosts);
}

TEST_CASE("work is fetched, and a backup told, at once, also right after another message") {
    const auto due = due_after(
        [](ContactPlan& plan) {
            plan.succeeded(start());
            plan.has_news(start());
            plan.has_event(start() + 1s);
        },
        {0s, 1s});
    CHECK(due == std::vector{0, hosts});
}

TEST_CASE("news are told within a minute, however often they are noticed") {
    const auto due = due_after(
        [](ContactPlan& plan) {
            plan.succeeded(start());
            for (int i = 0; i < 3; ++i) plan.has_news(start() + 10s * i);
        },
        {29s, 45s, 60s});
    CHECK(due[0] == 0);
    CHECK(due[1] > hosts / 4);
    CHECK(due[1] < 3 * hosts / 4);
    CHECK(due[2] == hosts);
}

TEST_CASE("a dispatcher that restarts is not asked by idle agents") {
    const auto due = due_after(
        [](ContactPlan& plan) {
            is_idle(plan);
            plan.is_back(start(), 3s);
        },
        {0s, 10s, 1h});
    CHECK(due == std::vector{0, 0, 0});
}

TEST_CASE("after an outage those with a reason come one after the other") {
    const auto with_work = due_after(
        [](ContactPlan& plan) {
            is_idle(plan);
            plan.is_back(start(), 2h);
            plan.has_event(start());
        },
        {10s, 150s, 300s});
    const auto that_failed = due_after(
        [](ContactPlan& plan) {
            for (int i = 0; i < 8; ++i) plan.failed(start() - 1s);
            plan.is_back(start(), 2h);
        },
        {10s, 150s, 300s});
    for (const auto& due : {with_work, that_failed}) {
        CHECK(due[0] < hosts / 10);
        CHECK(due[1] > hosts / 3);
        CHECK(due[1] < 7 * hosts / 10);
        CHECK(due[2] == hosts);
    }
    // A short one does not hold anybody up for long.
    CHECK(due_after(
              [](ContactPlan& plan) {
                  plan.failed(start() - 1s);
                  plan.is_back(start(), 4s);
              },
              {2s}) == std::vector{hosts});
}

TEST_CASE("who fails tries again later and later, not when its poll says so") {
    const auto once = due_after(
        [](ContactPlan& plan) {
            is_idle(plan);
            plan.has_event(start());
            plan.failed(start());
            plan.has_event(start());
            plan.has_news(start());
        },
        {7s, 15s, 23s});
    CHECK(once[0] == 0);
    CHECK(once[1] > hosts / 4);
    CHECK(once[1] < 3 * hosts / 4);
    CHECK(once[2] == hosts);
    const auto often = due_after(
        [](ContactPlan& plan) {
            for (int i = 0; i < 20; ++i) plan.failed(start());
        },
        {149s, 450s});
    CHECK(often == std::vector{0, hosts});
}

TEST_CASE("a clock that was set back does not silence an agent") {
    ContactPlan plan(1);
    plan.succeeded(start() + 24h);
    CHECK(plan.due(start()));
}
