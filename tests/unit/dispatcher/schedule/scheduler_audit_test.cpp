// What the scheduler does to jobs stands in the audit trail, in the transaction of the change.
#include <catch2/catch.hpp>

#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/schedule/scheduler.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "tests/support/fake_clock.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace std::chrono_literals;

TEST_CASE("scheduler: due, requeued and expired jobs are audited for the server's owner") {
    const TempDir folder;
    const auto store = SqliteStore::create(folder.path() / "d.sqlite");
    test::FakeClock clock;
    Scheduler scheduler(*store, clock);
    const std::string server = random_uuid();
    const std::string owner(40, 'A');
    store->transact([&](Transaction& tx) {
        User user;
        user.fingerprint = owner;
        tx.add_user(user);
        Server record;
        record.uuid = server;
        record.owner = owner;
        tx.add_server(record);
        Schedule schedule;
        schedule.id = random_uuid();
        schedule.server = server;
        schedule.kind = "backup";
        schedule.cron = "0 * * * *";
        schedule.next_slot = first_slot(schedule.cron, clock.now());
        tx.put_schedule(schedule);
    });
    const auto actions = [&] {
        std::vector<std::string> out;
        store->read([&](Transaction& tx) {
            for (const auto& entry : tx.audit_after(0, 100)) {
                CHECK(entry.actor == "scheduler");
                CHECK(entry.owner == owner);
                CHECK(entry.text.find(server) != std::string::npos);
                out.push_back(entry.action);
            }
        });
        return out;
    };
    using Names = std::vector<std::string>;
    scheduler.tick();
    CHECK(actions().empty());
    clock.advance(1h);
    scheduler.tick();
    CHECK(actions() == Names{"job.due"});
    clock.advance(1h);
    scheduler.tick();  // nobody took it
    CHECK(actions() == Names{"job.due", "job.expired", "job.due"});
    for (int attempt = 1; attempt <= max_attempts; ++attempt) {
        store->transact([&](Transaction& tx) {
            const std::int64_t now = to_millis(clock.now());
            REQUIRE(tx.claim_job(server, now, now + 1000));
        });
        clock.advance(2s);
        scheduler.tick();
    }
    CHECK(actions() ==
          Names{"job.due", "job.expired", "job.due", "job.requeued", "job.requeued", "job.expired"});
    scheduler.tick();
    CHECK(actions().size() == 6);
}
