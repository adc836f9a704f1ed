#include "dispatcher/schedule/scheduler.hpp"

#include <catch2/catch.hpp>

#include "common/base/cron.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "tests/support/fake_clock.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace std::chrono_literals;

namespace {

// A store with one server, and a clock at 2026-11-22T01:37:00Z.
struct Room {
    TempDir folder;
    std::unique_ptr<Store> store = SqliteStore::create(folder.path() / "d.sqlite");
    test::FakeClock clock;
    Scheduler scheduler{*store, clock};
    std::string server = random_uuid();

    Room() {
        store->transact([&](Transaction& tx) {
            User user;
            user.fingerprint = std::string(40, 'A');
            tx.add_user(user);
            Server record;
            record.uuid = server;
            record.owner = user.fingerprint;
            tx.add_server(record);
        });
    }
    Schedule add_schedule(const std::string& cron, std::int64_t splay = 0,
                          const std::string& kind = "backup") {
        Schedule schedule;
        schedule.id = random_uuid();
        schedule.server = server;
        schedule.kind = kind;
        schedule.cron = cron;
        schedule.splay = splay;
        schedule.created = to_millis(clock.now());
        schedule.next_slot = first_slot(cron, clock.now());
        store->transact([&](Transaction& tx) { tx.put_schedule(schedule); });
        return schedule;
    }
    std::vector<Job> jobs() {
        std::vector<Job> out;
        store->read([&](Transaction& tx) { out = tx.list_jobs(server, 1000); });
        return out;
    }
    std::optional<Job> claim() {
        std::optional<Job> out;
        const std::int64_t now = to_millis(clock.now());
        store->transact([&](Transaction& tx) { out = tx.claim_job(server, now, now + 60'000); });
        return out;
    }
};

}  // namespace

TEST_CASE("scheduler: a due slot makes one job") {
    Room room;
    const Schedule schedule = room.add_schedule("0 2 * * *");
    CHECK(room.scheduler.tick().created == 0);
    room.clock.set(parse_utc("2026-11-22T01:59:59Z"));
    CHECK(room.scheduler.tick().created == 0);
    room.clock.set(parse_utc("2026-11-22T02:00:00Z"));
    const auto tick = room.scheduler.tick();
    CHECK(tick.created == 1);
    CHECK(tick.servers_with_work == std::vector<std::string>{room.server});
    CHECK(room.scheduler.tick().created == 0);
    REQUIRE(room.jobs().size() == 1);
    CHECK(room.jobs().front().slot == to_millis(parse_utc("2026-11-22T02:00:00Z")));
    CHECK(room.jobs().front().schedule == schedule.id);
    // A second dispatcher, or one that was restarted from an old copy of the schedule, adds nothing.
    room.store->transact([&](Transaction& tx) { tx.put_schedule(schedule); });
    Scheduler other(*room.store, room.clock);
    CHECK(other.tick().created == 0);
    CHECK(room.jobs().size() == 1);
}

TEST_CASE("scheduler: where a full backup is due, too, no increment is made") {
    Room room;
    room.add_schedule("0 3 * * *");
    room.add_schedule("0 * * * *", 0, "incremental");
    const auto made = [&](const char* time) {
        room.clock.set(parse_utc(time));
        const auto before = room.jobs().size();
        room.scheduler.tick();
        std::vector<std::string> out;
        const auto jobs = room.jobs();
        for (const auto& job : jobs)
            if (job.slot == to_millis(parse_utc(time))) out.push_back(job.kind);
        CHECK(jobs.size() == before + out.size());
        return out;
    };
    using Kinds = std::vector<std::string>;
    CHECK(made("2026-11-22T02:00:00Z") == Kinds{"incremental"});
    CHECK(made("2026-11-22T03:00:00Z") == Kinds{"backup"});
    CHECK(made("2026-11-22T04:00:00Z") == Kinds{"incremental"});
}

TEST_CASE("scheduler: missed runs coalesce into the latest slot") {
    Room room;
    room.add_schedule("*/10 * * * *");
    room.clock.set(parse_utc("2026-11-25T07:23:45Z"));  // days later
    CHECK(room.scheduler.tick().created == 1);
    REQUIRE(room.jobs().size() == 1);
    CHECK(room.jobs().front().slot == to_millis(parse_utc("2026-11-25T07:20:00Z")));
    room.clock.set(parse_utc("2026-11-25T07:30:00Z"));
    CHECK(room.scheduler.tick().created == 1);
}

TEST_CASE("scheduler: the splay delays a slot by the schedule's own offset") {
    Room room;
    const Schedule schedule = room.add_schedule("0 2 * * *", 3600);
    const auto offset = splay_offset(schedule.id, 3600);
    const UtcTime slot = parse_utc("2026-11-22T02:00:00Z");
    room.clock.set(slot + offset - 1s);
    CHECK(room.scheduler.tick().created == 0);
    room.clock.set(slot + offset);
    CHECK(room.scheduler.tick().created == 1);
    CHECK(room.jobs().front().slot == to_millis(slot));  // the slot itself is not splayed
}

TEST_CASE("scheduler: a job that nobody took is superseded by the next slot's") {
    Room room;
    room.add_schedule("0 * * * *");
    room.clock.set(parse_utc("2026-11-22T02:00:00Z"));
    room.scheduler.tick();
    room.clock.set(parse_utc("2026-11-22T03:00:00Z"));
    const auto tick = room.scheduler.tick();
    CHECK(tick.superseded == 1);
    CHECK(tick.created == 1);
    const auto jobs = room.jobs();
    REQUIRE(jobs.size() == 2);
    CHECK(jobs[0].state == JobState::queued);
    CHECK(jobs[1].state == JobState::expired);
    CHECK(jobs[1].problem.kind == "timeout");
}

TEST_CASE("scheduler: a running job is not superseded") {
    Room room;
    room.add_schedule("0 * * * *");
    room.clock.set(parse_utc("2026-11-22T02:00:00Z"));
    room.scheduler.tick();
    const auto job = room.claim();
    REQUIRE(job);
    const UtcTime later = parse_utc("2026-11-22T03:00:00Z");
    room.store->transact(
        [&](Transaction& tx) { tx.renew_job(job->id, room.server, 1, to_millis(later) + 60'000, {}); });
    room.clock.set(later);
    CHECK(room.scheduler.tick().superseded == 0);
    CHECK(room.jobs().size() == 2);
    CHECK(room.jobs()[1].state == JobState::running);
}

TEST_CASE("scheduler: a lost lease requeues, three times at most") {
    Room room;
    Job job;
    job.id = random_uuid();
    job.server = room.server;
    job.kind = "backup";
    job.created = to_millis(room.clock.now());
    room.store->transact([&](Transaction& tx) { tx.add_job(job); });
    for (std::int64_t attempt = 1; attempt <= max_attempts; ++attempt) {
        const auto claimed = room.claim();
        REQUIRE(claimed);
        CHECK(claimed->attempts == attempt);
        CHECK_FALSE(room.claim());
        room.clock.advance(59s);
        CHECK(room.scheduler.tick().requeued == 0);  // still leased
        room.clock.advance(1s);
        const auto tick = room.scheduler.tick();
        CHECK(tick.requeued == (attempt < max_attempts ? 1U : 0U));
        CHECK(tick.given_up == (attempt < max_attempts ? 0U : 1U));
    }
    CHECK_FALSE(room.claim());
    REQUIRE(room.jobs().size() == 1);
    CHECK(room.jobs().front().state == JobState::expired);
    CHECK(room.jobs().front().problem.text.find("3 attempts") != std::string::npos);
}

TEST_CASE("scheduler: replies are kept at least 30 minutes, then forgotten") {
    Room room;
    room.store->transact([&](Transaction& tx) {
        tx.add_reply("sender", "id", to_millis(room.clock.now()), {"digest", "reply"});
    });
    const auto kept = [&] {
        bool out = false;
        room.store->read([&](Transaction& tx) { out = tx.find_reply("sender", "id").has_value(); });
        return out;
    };
    const auto pass = [&](std::chrono::minutes time) {
        for (auto at = 0s; at < time; at += 30s) {
            room.clock.advance(30s);
            room.scheduler.tick();
        }
    };
    room.scheduler.tick();
    pass(31min);
    CHECK(kept());
    // The clock is set ahead for some minutes: nothing may be forgotten before it has run evenly again.
    room.clock.advance(24h);
    pass(10min);
    room.clock.advance(-24h);
    pass(39min);
    CHECK(kept());
    pass(2min);
    CHECK_FALSE(kept());
}

TEST_CASE("scheduler: a clock that was ahead for a while loses no slot and holds no lease") {
    Room room;
    const auto start = room.clock.now();
    room.add_schedule("30 2 * * *");
    room.scheduler.tick();
    room.clock.set(start + 24h * 30);
    room.scheduler.tick();  // one job, for the newest slot of that time
    CHECK(room.jobs().size() == 1);
    REQUIRE(room.claim());
    room.clock.set(start + 1min);
    room.scheduler.tick();
    CHECK(room.jobs().size() == 1);
    room.clock.set(parse_utc("2026-11-22T02:30:01Z"));  // today's slot
    room.scheduler.tick();
    CHECK(room.jobs().size() == 2);
    room.clock.advance(1h);  // the lease that was given a month ahead
    room.scheduler.tick();
    room.scheduler.tick();
    std::size_t leased = 0;
    for (const auto& job : room.jobs())
        leased += job.state == JobState::leased || job.state == JobState::running;
    CHECK(leased == 0);
}

TEST_CASE("scheduler: a clock that goes back over a slot neither doubles its job nor drops it") {
    Room room;
    room.add_schedule("30 2 * * *");
    room.scheduler.tick();
    room.clock.set(parse_utc("2026-11-22T02:30:05Z"));
    room.scheduler.tick();
    REQUIRE(room.jobs().size() == 1);
    for (const char* time : {"2026-11-22T02:29:00Z", "2026-11-22T02:30:00Z", "2026-11-22T02:31:00Z"}) {
        room.clock.set(parse_utc(time));
        room.scheduler.tick();
    }
    REQUIRE(room.jobs().size() == 1);
    CHECK(room.jobs().front().state == JobState::queued);
}

TEST_CASE("scheduler: a schedule that cannot be read does not stop the others") {
    Room room;
    const Schedule good = room.add_schedule("40 * * * *");
    Schedule bad = good;
    bad.id = random_uuid();
    bad.kind = "escrow";
    bad.cron = "61 25 * * *";  // the first in order, and due
    bad.next_slot = to_millis(room.clock.now()) - 60'000;
    room.store->transact([&](Transaction& tx) { tx.put_schedule(bad); });
    const auto first = room.scheduler.tick();
    CHECK(first.created == 0);
    room.clock.advance(4min);
    CHECK(room.scheduler.tick().created == 1);
    REQUIRE(room.jobs().size() == 1);
    CHECK(room.jobs().front().schedule == good.id);
    room.clock.advance(61min);  // as after a step of the clock, which looks at all schedules
    CHECK(room.scheduler.tick().created == 1);
}
