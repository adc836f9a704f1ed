#include "agent/daemon/schedule_book.hpp"

#include <catch2/catch.hpp>

#include "tests/support/fake_clock.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace std::chrono_literals;

namespace {

const std::string id = "0d9c1a34-7a4e-4a1e-9a58-2f6f4a7f0001";

ScheduleState daily(std::int64_t splay_s = 0, const char* kind = "backup") {
    return {{{{id, kind, "30 2 * * *", splay_s}, to_millis(parse_utc("2026-11-20T00:00:00Z")), {}}}};
}

Run run_of(const char* slot) {
    Run out;
    out.backup.schedule = id;
    out.backup.slot = to_millis(parse_utc(slot));
    return out;
}

}  // namespace

TEST_CASE("an agent without its dispatcher makes each due slot once") {
    test::FakeClock clock(parse_utc("2026-11-22T02:29:00Z"));
    RunState runs;
    runs.runs = {run_of("2026-11-21T02:30:00Z")};
    const UtcTime contact = parse_utc("2026-11-22T02:00:00Z");
    CHECK_FALSE(due_alone(daily(), runs, clock.now(), contact));  // not due
    clock.set(parse_utc("2026-11-22T02:30:30Z"));
    CHECK_FALSE(due_alone(daily(), runs, clock.now(), contact));  // the dispatcher may still order it
    clock.set(parse_utc("2026-11-22T02:31:00Z"));
    const auto due = due_alone(daily(), runs, clock.now(), contact);
    REQUIRE(due);
    CHECK(due->origin.schedule == id);
    CHECK(due->origin.slot == to_millis(parse_utc("2026-11-22T02:30:00Z")));
    CHECK_FALSE(due->origin.job);
    CHECK_FALSE(due->withheld);

    runs.add(run_of("2026-11-22T02:30:00Z"));
    CHECK_FALSE(due_alone(daily(), runs, clock.now(), contact));
    clock.advance(24h);
    REQUIRE(due_alone(daily(), runs, clock.now(), contact));
}

TEST_CASE("slots that were missed are made up for by one backup, the newest") {
    const UtcTime now = parse_utc("2026-12-24T12:00:00Z");
    const auto due = due_alone(daily(), {}, now, std::nullopt);
    REQUIRE(due);
    CHECK(due->origin.slot == to_millis(parse_utc("2026-12-24T02:30:00Z")));
}

TEST_CASE("a slot for which the dispatcher was there is its own business") {
    const UtcTime now = parse_utc("2026-11-22T03:00:00Z");
    CHECK_FALSE(due_alone(daily(), {}, now, parse_utc("2026-11-22T02:31:00Z")));
    CHECK(due_alone(daily(), {}, now, parse_utc("2026-11-22T02:30:59Z")));
}

TEST_CASE("a slot that a dispatcher is there for and never orders is made an hour later, once") {
    const UtcTime slot = parse_utc("2026-11-22T02:30:00Z");
    const UtcTime due_at = slot + dispatcher_grace;
    ScheduleState schedules = daily();
    // It answers all the time, and orders nothing.
    CHECK_FALSE(due_alone(schedules, {}, due_at + withheld_after - 1s, due_at + withheld_after - 2s));
    const auto due = due_alone(schedules, {}, due_at + withheld_after, due_at + withheld_after - 2s);
    REQUIRE(due);
    CHECK(due->withheld);
    CHECK(due->origin.slot == to_millis(slot));
    RunState runs;
    runs.add(run_of("2026-11-22T02:30:00Z"));
    CHECK_FALSE(due_alone(schedules, runs, due_at + withheld_after, due_at));

    // What it ordered once is not withheld, whatever came of the order.
    CHECK_FALSE(note_ordered(schedules, "another", to_millis(slot)));
    CHECK(note_ordered(schedules, id, to_millis(slot)));
    CHECK_FALSE(note_ordered(schedules, id, to_millis(slot) - 1));
    CHECK_FALSE(due_alone(schedules, {}, due_at + withheld_after, due_at));
    CHECK(merge(schedules, {schedules.schedules[0].order}, slot).schedules[0].ordered == to_millis(slot));
    CHECK(due_alone(schedules, {}, due_at + withheld_after + 24h, due_at + 24h));
}

TEST_CASE("increments are made alone, too, and not where a full backup is due") {
    const UtcTime now = parse_utc("2026-11-22T10:00:00Z");
    auto schedules = daily(0, "incremental");
    const auto due = due_alone(schedules, {}, now, std::nullopt);
    REQUIRE(due);
    CHECK(due->origin.incremental);
    schedules.schedules.push_back(daily().schedules[0]);
    schedules.schedules.back().order.id = "0d9c1a34-7a4e-4a1e-9a58-2f6f4a7f0002";
    const auto full = due_alone(schedules, {}, now, std::nullopt);
    REQUIRE(full);
    CHECK_FALSE(full->origin.incremental);
}

TEST_CASE("slots before the schedule was known, and other kinds, are nobody's") {
    ScheduleState schedules = daily();
    schedules.schedules[0].since = to_millis(parse_utc("2026-11-22T02:30:00Z"));
    CHECK_FALSE(due_alone(schedules, {}, parse_utc("2026-11-22T10:00:00Z"), std::nullopt));
    CHECK_FALSE(due_alone(daily(0, "escrow"), {}, parse_utc("2026-11-22T10:00:00Z"), std::nullopt));
    CHECK_FALSE(due_alone({}, {}, parse_utc("2026-11-22T10:00:00Z"), std::nullopt));
}

TEST_CASE("the splay delays a slot by at most its length") {
    RunState runs;
    runs.runs = {run_of("2026-11-21T02:30:00Z")};
    CHECK_FALSE(due_alone(daily(3600), runs, parse_utc("2026-11-22T02:30:59Z"), std::nullopt));
    CHECK(due_alone(daily(3600), runs, parse_utc("2026-11-22T03:31:00Z"), std::nullopt));
}

TEST_CASE("a schedule that cannot be read is left out") {
    ScheduleState schedules = daily();
    schedules.schedules.insert(schedules.schedules.begin(), schedules.schedules.front());
    schedules.schedules.front().order.cron = "61 25 * * *";
    CHECK(due_alone(schedules, {}, parse_utc("2026-11-22T10:00:00Z"), std::nullopt));
}

TEST_CASE("a schedule of less than a minute, or none at all, is not one") {
    proto::ScheduleOrder order = daily().schedules[0].order;
    CHECK(unreadable({}) == nullptr);
    CHECK(unreadable({order}) == nullptr);
    for (const char* cron : {"* * * * * *", "*/1 * * * * *", "@every 1s", "", "60 * * * *"}) {
        proto::ScheduleOrder bad = order;
        bad.cron = cron;
        const std::vector<proto::ScheduleOrder> fresh{order, bad};
        REQUIRE(unreadable(fresh) != nullptr);
        CHECK(unreadable(fresh)->cron == cron);
    }
}

TEST_CASE("a schedule keeps its beginning while it stays the same") {
    const UtcTime now = parse_utc("2026-11-22T10:00:00Z");
    const ScheduleState old = daily();
    proto::ScheduleOrder order = old.schedules[0].order;
    CHECK(merge(old, {order}, now).schedules.at(0).since == old.schedules[0].since);
    order.cron = "0 4 * * *";
    CHECK(merge(old, {order}, now).schedules.at(0).since == to_millis(now));
    CHECK(merge(old, {}, now).schedules.empty());
}

TEST_CASE("a run is found by its job, or by schedule and slot together") {
    RunState runs;
    Run run = run_of("2026-11-22T02:30:00Z");
    run.job = "0d9c1a34-7a4e-4a1e-9a58-2f6f4a7f0002";
    runs.add(run);
    const auto slot = run.backup.slot;
    CHECK(runs.find(run.job, std::nullopt, std::nullopt) != nullptr);
    CHECK(runs.find("0d9c1a34-7a4e-4a1e-9a58-2f6f4a7f0003", id, slot) != nullptr);
    CHECK(runs.find("0d9c1a34-7a4e-4a1e-9a58-2f6f4a7f0003", id, *slot + 60'000) == nullptr);
    CHECK(runs.find(std::nullopt, std::nullopt, slot) == nullptr);
    CHECK(runs.find(std::nullopt, id, std::nullopt) == nullptr);
}

TEST_CASE("runs that were not reported are kept before those that were") {
    RunState runs;
    for (int i = 0; i < 250; ++i) {
        Run run = run_of("2026-11-22T02:30:00Z");
        run.backup.slot = i;
        run.reported = i % 2 == 0;
        runs.add(run);
    }
    CHECK(runs.runs.size() == 200);
    CHECK(std::count_if(runs.runs.begin(), runs.runs.end(), [](const Run& run) { return !run.reported; }) ==
          125);
}
