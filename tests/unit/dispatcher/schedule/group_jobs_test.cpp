// A group's jobs on a real database: one for a slot, and one holder at a time.
#include <catch2/catch.hpp>

#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/schedule/scheduler.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "proto/server_state.hpp"
#include "tests/support/fake_clock.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace std::chrono_literals;

namespace {

const std::string group_owner(40, 'A');
const std::string other_owner(40, 'B');

// Users with servers "r1" and "r2" (replicas) and "p" (the primary), at 2026-11-22T01:37:00Z.
struct GroupRoom {
    TempDir folder;
    std::unique_ptr<Store> store = SqliteStore::create(folder.path() / "d.sqlite");
    test::FakeClock clock;
    Scheduler scheduler{*store, clock};
    std::map<std::string, std::string> uuids;

    GroupRoom() {
        for (const auto& user : {group_owner, other_owner})
            store->transact([&](Transaction& tx) {
                User record;
                record.fingerprint = record.name = record.token_hash = user;
                tx.add_user(record);
            });
        add("p", group_owner);
        add("r1", group_owner);
        add("r2", group_owner);
        add("other", other_owner);  // names the same group, and is not in it
        for (const char* one : {"p", "r1", "r2", "other"}) tell(one);
    }
    void add(const std::string& name, const std::string& user) {
        Server record;
        record.uuid = uuids[name] = name == "r1"   ? "00000000-0000-4000-8000-000000000001"
                                    : name == "r2" ? "00000000-0000-4000-8000-000000000002"
                                                   : random_uuid();
        record.owner = user;
        record.identity = record.token_hash = record.uuid;
        record.label = name;
        store->transact([&](Transaction& tx) { tx.add_server(record); });
    }
    // Its agent says that all is well, or how far behind it is.
    void tell(const std::string& name, std::int64_t behind = 0) {
        proto::ServerState state;
        state.group = "shop";
        state.role = name == "p" ? "primary" : "replica";
        state.replicas = name == "p" ? 2 : 0;
        if (name != "p") {
            proto::ReplicationSource source;
            source.io = source.sql = "Yes";
            source.behind_s = behind;
            state.sources = {source};
        }
        const std::int64_t now = to_millis(clock.now());
        store->transact([&](Transaction& tx) {
            tx.touch_presence({uuids[name]}, now);
            tx.put_server_state({uuids[name], now, "shop", to_json(state).dump()});
        });
    }
    std::string schedule(const std::string& kind = "backup", std::int64_t primary_after = 600) {
        GroupSchedule out;
        out.id = random_uuid();
        out.owner = group_owner;
        out.group = "shop";
        out.kind = kind;
        out.cron = "0 * * * *";
        out.primary_after = primary_after;
        out.created = to_millis(clock.now());
        out.next_slot = first_slot(out.cron, clock.now());
        store->transact([&](Transaction& tx) { tx.put_group_schedule(out); });
        return out.id;
    }
    // The jobs of all servers: a move leaves none behind.
    std::vector<Job> jobs() {
        std::vector<Job> out;
        store->read([&](Transaction& tx) {
            for (const auto& [name, uuid] : uuids)
                for (auto& job : tx.list_jobs(uuid, 100)) out.push_back(std::move(job));
        });
        return out;
    }
    Job only_job() {
        const auto all = jobs();
        REQUIRE(all.size() == 1);
        return all.front();
    }
    std::string holder() {
        const Job job = only_job();
        for (const auto& [name, uuid] : uuids)
            if (uuid == job.server) return job.held != 0 ? "held" : name;
        return "nobody";
    }
    std::optional<Job> claim(const std::string& name) {
        std::optional<Job> out;
        const std::int64_t now = to_millis(clock.now());
        store->transact([&](Transaction& tx) { out = tx.claim_job(uuids[name], now, now + 60'000); });
        return out;
    }
    bool begin(const Job& job) {
        bool out = false;
        const std::int64_t now = to_millis(clock.now());
        store->transact([&](Transaction& tx) {
            tx.touch_presence({job.server}, now);
            out = tx.renew_job(job.id, job.server, job.attempts, now + 60'000, {"starting", 1, 0, 0, 0, 0});
        });
        return out;
    }
    // `steps` minutes pass, in which these agents are there.
    void pass(int minutes, const std::vector<std::string>& there) {
        for (int i = 0; i < minutes; ++i) {
            clock.advance(1min);
            for (const auto& name : there) tell(name);
            scheduler.tick();
        }
    }
};

const std::vector<std::string> everyone{"p", "r1", "r2"};

}  // namespace

TEST_CASE("group jobs: a slot makes one job, for one replica of this user") {
    GroupRoom room;
    room.schedule();
    room.pass(22, everyone);
    CHECK(room.jobs().empty());
    room.clock.advance(1min);
    const auto tick = room.scheduler.tick();
    CHECK(tick.created == 1);
    CHECK(tick.servers_with_work == std::vector<std::string>{room.uuids["r1"]});
    CHECK(room.holder() == "r1");
    CHECK(room.only_job().group == "shop");
    CHECK_FALSE(room.claim("r2"));
    CHECK_FALSE(room.claim("p"));
    CHECK_FALSE(room.claim("other"));
    // Another dispatcher on the same database adds nothing and moves nothing.
    Scheduler other(*room.store, room.clock);
    CHECK(other.tick().created == 0);
    CHECK(room.claim("r1"));
    CHECK_FALSE(room.claim("r1"));
}

TEST_CASE("group jobs: who falls behind before it begins loses the job to the next, and so to the primary") {
    GroupRoom room;
    room.schedule();
    room.pass(23, everyone);
    REQUIRE(room.holder() == "r1");
    room.tell("r1", 61);
    room.scheduler.tick();
    CHECK(room.holder() == "r2");
    CHECK_FALSE(room.claim("r1"));
    room.tell("r2", 3600);
    room.scheduler.tick();
    CHECK(room.holder() == "held");
    for (const auto& name : everyone) CHECK_FALSE(room.claim(name));
    room.clock.advance(9min);
    for (const auto& name : {"r1", "r2"}) room.tell(name, 61);
    room.tell("p");
    room.scheduler.tick();
    CHECK(room.holder() == "held");
    room.clock.advance(1min);
    room.scheduler.tick();
    CHECK(room.holder() == "p");
    REQUIRE(room.claim("p"));
    bool said = false;
    room.store->read([&](Transaction& tx) {
        for (const auto& entry : tx.list_audit(group_owner, 100))
            said = said || entry.text.find("for want of a replica") != std::string::npos;
    });
    CHECK(said);
}

TEST_CASE("group jobs: a replica that catches up is asked again before the primary") {
    GroupRoom room;
    room.schedule();
    for (const auto& name : {"r1", "r2"}) room.tell(name, 61);
    room.clock.set(parse_utc("2026-11-22T02:00:00Z"));
    for (const auto& name : {"r1", "r2"}) room.tell(name, 61);
    room.tell("p");
    room.scheduler.tick();
    CHECK(room.holder() == "held");
    room.clock.advance(1min);
    room.tell("r2");
    room.scheduler.tick();
    CHECK(room.holder() == "r2");
}

TEST_CASE("group jobs: a lease lost before the backup began moves the job, the late agent cannot begin") {
    GroupRoom room;
    room.schedule();
    room.pass(23, everyone);
    const auto job = room.claim("r1");
    REQUIRE(job);
    room.clock.advance(61s);
    room.tell("r2");
    room.scheduler.tick();
    CHECK(room.holder() == "r2");
    CHECK_FALSE(room.begin(*job));  // what OrderRunner asks before it begins
    const auto second = room.claim("r2");
    REQUIRE(second);
    CHECK(second->id == job->id);
    CHECK(second->attempts == 2);
    CHECK(room.begin(*second));
    CHECK_FALSE(room.begin(*job));
}

TEST_CASE("group jobs: a backup that began is waited for an hour, then it has failed") {
    GroupRoom room;
    room.schedule();
    room.store->transact([&](Transaction& tx) {  // no second slot in this test
        auto schedule = tx.list_group_schedules(group_owner).at(0);
        tx.advance_group_schedule(schedule.id, schedule.next_slot,
                                  to_millis(parse_utc("2026-11-22T02:00:00Z")));
    });
    room.pass(23, everyone);
    const auto job = room.claim("r1");
    REQUIRE(job);
    REQUIRE(room.begin(*job));
    room.pass(36, {"p", "r2"});
    CHECK(room.holder() == "r1");
    CHECK(room.only_job().state == JobState::queued);  // its lease is over; it may come back
    CHECK(room.begin(*job));                           // it does
    room.pass(20, {"p", "r2"});                        // the next slot's job is another one
    std::vector<Job> first;
    for (const auto& one : room.jobs())
        if (one.id == job->id) first.push_back(one);
    REQUIRE(first.size() == 1);
    CHECK(first[0].server == room.uuids["r1"]);
}

TEST_CASE("group jobs: a retired member's job goes on, all failed is a failure, a late backup settles it") {
    GroupRoom room;
    room.schedule();
    room.pass(23, everyone);
    REQUIRE(room.claim("r1"));
    room.store->transact([&](Transaction& tx) { tx.retire_server(room.uuids["r1"], 1); });
    CHECK(room.holder() == "held");
    room.scheduler.tick();
    CHECK(room.holder() == "r2");
    const auto job = room.claim("r2");
    REQUIRE(job);
    bool moved = false;
    room.store->transact(
        [&](Transaction& tx) { moved = take_back(tx, *job, "source: broken", true, room.clock.now()); });
    CHECK(moved);
    room.clock.advance(10min);
    room.tell("p");
    room.scheduler.tick();
    CHECK(room.holder() == "p");
    const auto last = room.claim("p");
    REQUIRE(last);
    room.store->transact(
        [&](Transaction& tx) { take_back(tx, *last, "store: full", true, room.clock.now()); });
    room.tell("p");
    room.tell("r2");
    Job settled = room.only_job();
    room.scheduler.tick();
    CHECK(room.only_job().state == JobState::failed);
    CHECK(room.only_job().problem.text.find("source: broken") != std::string::npos);
    CHECK(room.only_job().problem.text.find("store: full") != std::string::npos);
    bool after = true;
    room.store->transact([&](Transaction& tx) { after = tx.settle_job(settled); });
    CHECK_FALSE(after);  // what has ended stays ended
}

TEST_CASE("group jobs: the next slot takes the place of one that still waits, and a clock may be set") {
    GroupRoom room;
    room.schedule("backup", proto::never_the_primary);
    room.pass(23, {"p"});
    CHECK(room.holder() == "held");  // the replicas are silent
    room.pass(60, {"p"});
    const auto jobs = room.jobs();
    REQUIRE(jobs.size() == 2);
    CHECK(std::ranges::count(jobs, JobState::expired, &Job::state) == 1);
    room.clock.set(parse_utc("2026-11-29T02:00:00Z"));
    room.tell("r2");
    room.scheduler.tick();
    room.clock.set(parse_utc("2026-11-22T04:00:00Z"));
    room.tell("r2");
    const auto before = room.jobs().size();
    room.scheduler.tick();
    CHECK(room.jobs().size() == before + 1);  // back in order at once
}

TEST_CASE(
    "group jobs: no increment where the group's full backup is due, a group without a member makes none") {
    GroupRoom room;
    room.schedule("backup");
    room.schedule("incremental");
    room.pass(23, everyone);
    CHECK(room.only_job().kind == "backup");
    for (const auto& name : everyone)
        room.store->transact([&](Transaction& tx) { tx.retire_server(room.uuids[name], 1); });
    room.clock.advance(1h);
    CHECK(room.scheduler.tick().created == 0);
}
