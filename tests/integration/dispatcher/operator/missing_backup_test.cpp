// A backup that does not come, from the schedule to the notification, with a clock that the test turns.
#include <catch2/catch.hpp>

#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "dispatcher/alert/alert_book.hpp"
#include "dispatcher/app/facts.hpp"
#include "dispatcher/schedule/scheduler.hpp"
#include "tests/support/fake_clock.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace std::chrono_literals;

namespace {

struct Watched {
    TempDir folder;
    std::unique_ptr<Store> store = SqliteStore::create(folder.path() / "d.sqlite");
    test::FakeClock clock;  // 2026-11-22T01:37:00Z
    Scheduler scheduler{*store, clock};
    AlertBook book{*store, "FPR", {"webhook"}, 24h};
    std::string server = random_uuid();
    const std::int64_t started = to_millis(clock.now() - 24h);

    Watched() {
        store->transact([&](Transaction& tx) {
            User user;
            user.fingerprint = std::string(40, 'A');
            tx.add_user(user);
            Server record;
            record.uuid = server;
            record.owner = user.fingerprint;
            record.label = "shop";
            record.registered = now();
            record.subkey = "S";
            tx.add_server(record);
            EscrowRecord escrow;
            escrow.id = random_uuid();
            escrow.server = server;
            escrow.subkey = "S";
            tx.append_escrow(escrow);
            Schedule schedule;
            schedule.id = random_uuid();
            schedule.server = server;
            schedule.kind = "backup";
            schedule.cron = "0 3 * * *";
            schedule.splay = 600;
            schedule.created = now();
            schedule.next_slot = first_slot(schedule.cron, clock.now());
            tx.put_schedule(schedule);
        });
    }
    std::int64_t now() const { return to_millis(clock.now()); }
    // Time goes on in minutes; the agent waits for work all the time and never takes any.
    AlertBook::Round pass(std::chrono::minutes time) {
        AlertBook::Round all;
        for (; time > 0min; time -= 1min) {
            clock.advance(1min);
            scheduler.tick();
            store->transact([&](Transaction& tx) { tx.touch_presence({server}, now()); });
            const auto round = book.record(evaluate(gather_facts(*store, {}, now(), started), {}), now());
            all.raised.insert(all.raised.end(), round.raised.begin(), round.raised.end());
            all.resolved.insert(all.resolved.end(), round.resolved.begin(), round.resolved.end());
            all.reminded.insert(all.reminded.end(), round.reminded.begin(), round.reminded.end());
            all.open_by_rule = round.open_by_rule;
        }
        return all;
    }
    void back_up() {
        Backup backup;
        backup.set = make_set_id(clock.now());
        backup.server = server;
        backup.kind = "full";
        backup.finished = backup.reported = now();
        store->transact([&](Transaction& tx) { tx.put_backup(backup); });
    }
};

}  // namespace

TEST_CASE("a missing backup is told once after its slot, splay and grace, and its end once") {
    Watched watched;
    CHECK(watched.pass(83min).raised.empty());   // 03:00, the slot
    CHECK(watched.pass(250min).raised.empty());  // 07:10: splay and four hours are just over
    const auto missed = watched.pass(1min);
    REQUIRE(missed.raised.size() == 1);
    CHECK(missed.raised[0].rule == "backup_missing");
    CHECK(missed.raised[0].server == watched.server);
    CHECK(missed.raised[0].label == "shop");
    CHECK(missed.raised[0].text.find("2026-11-22T03:00:00Z") != std::string::npos);
    const auto later = watched.pass(120min);
    CHECK(later.raised.empty());
    CHECK(later.open_by_rule.at("backup_missing") == 1);
    watched.back_up();
    const auto over = watched.pass(1min);
    REQUIRE(over.resolved.size() == 1);
    CHECK(over.resolved[0].id == missed.raised[0].id);
    watched.store->read([&](Transaction& tx) {
        const auto told = tx.due_deliveries("webhook", watched.now(), 10);
        REQUIRE(told.size() == 2);
        CHECK(Json::parse(told[0].body)["event"] == "raised");
        CHECK(Json::parse(told[1].body)["event"] == "resolved");
    });
}

TEST_CASE("a job that was given up is a failed backup until one comes") {
    Watched watched;
    watched.pass(95min);  // the job is there
    for (int attempt = 1; attempt <= max_attempts; ++attempt) {
        watched.store->transact([&](Transaction& tx) {
            REQUIRE(tx.claim_job(watched.server, watched.now(), watched.now() + 30'000));
        });
        const auto round = watched.pass(1min);  // silent: the lease ends
        CHECK(round.raised.size() == (attempt == max_attempts ? 1 : 0));
        if (attempt == max_attempts) CHECK(round.raised.at(0).rule == "backup_failed");
    }
    watched.clock.advance(1s);
    watched.back_up();
    CHECK(watched.pass(1min).resolved.size() == 1);
    CHECK(watched.pass(300min).raised.empty());
}
