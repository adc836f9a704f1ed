#include "dispatcher/alert/alert_book.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/json_fields.hpp"
#include "dispatcher/alert/delivery.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "tests/support/fake_clock.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace std::chrono_literals;

namespace {

Finding silent(const std::string& object) {
    return {"agent_silent", object, "warning", object, "host", "silent", "see the host"};
}

struct Room {
    TempDir folder;
    test::FakeClock clock;
    std::unique_ptr<Store> store = SqliteStore::create(folder.path() / "d.sqlite");
    std::unique_ptr<AlertBook> book = open_book();

    std::unique_ptr<AlertBook> open_book() {
        return std::make_unique<AlertBook>(*store, "FPR", std::vector<std::string>{"webhook", "command"},
                                           24h);
    }
    void restart() {
        book.reset();
        store.reset();
        store = SqliteStore::open(folder.path() / "d.sqlite");
        book = open_book();
    }
    AlertBook::Round round(const std::vector<Finding>& findings,
                           const std::set<std::string>& undecided = {}) {
        return book->record({findings, undecided}, to_millis(clock.now()));
    }
    std::vector<AlertDelivery> queue(const std::string& channel = "webhook") {
        std::vector<AlertDelivery> out;
        store->read([&](Transaction& tx) { out = tx.due_deliveries(channel, to_millis(clock.now()), 100); });
        return out;
    }
};

// Fails as often as it is told to.
struct FakeChannel : Channel {
    int failures = 0;
    std::vector<std::string> taken;
    std::string name() const override { return "webhook"; }
    void deliver(const std::string& json) override {
        if (failures-- > 0) throw Error(ErrorKind::network, "no answer");
        taken.push_back(json);
    }
};

}  // namespace

TEST_CASE("alerts: raised once, reminded of, resolved once, over restarts") {
    Room room;
    CHECK(room.round({silent("a")}).raised.size() == 1);
    CHECK(room.queue().size() == 1);
    CHECK(room.queue("command").size() == 1);
    for (int i = 0; i < 5; ++i) {
        room.clock.advance(1h);
        if (i == 2) room.restart();
        const auto round = room.round({silent("a")});
        CHECK(round.raised.empty());
        CHECK(round.reminded.empty());
        CHECK(round.open_by_rule.at("agent_silent") == 1);
    }
    room.clock.advance(19h);
    CHECK(room.round({silent("a")}).reminded.size() == 1);
    room.clock.advance(1h);
    CHECK(room.round({silent("a")}).reminded.empty());
    room.restart();
    const auto end = room.round({});
    CHECK(end.resolved.size() == 1);
    CHECK(end.open_by_rule.at("agent_silent") == 0);
    CHECK(room.round({}).resolved.empty());
    CHECK(room.queue().size() == 3);                      // raised, reminder, resolved
    CHECK(room.round({silent("a")}).raised.size() == 1);  // a second time is another alert
    room.store->read([&](Transaction& tx) {
        CHECK(tx.open_alerts().size() == 1);
        CHECK(tx.list_alerts(10).size() == 2);
    });
}

TEST_CASE("alerts: what cannot be decided neither ends nor begins") {
    Room room;
    room.round({silent("a")});
    CHECK(room.round({}, {"agent_silent"}).resolved.empty());
    CHECK(room.round({silent("a")}).raised.empty());
    CHECK(room.round({}).resolved.size() == 1);
}

TEST_CASE("alerts: a worse one is told at once") {
    Room room;
    room.round({silent("a")});
    Finding worse = silent("a");
    worse.severity = "critical";
    CHECK(room.round({worse}).reminded.size() == 1);
    CHECK(room.round({worse}).reminded.empty());
}

TEST_CASE("alerts: ten thousand at once are one notification of bounded size") {
    Room room;
    std::vector<Finding> all;
    for (int i = 0; i < 10'000; ++i) all.push_back(silent(std::to_string(i)));
    room.round(all);
    REQUIRE(room.queue().size() == 1);
    const Json body = Json::parse(room.queue()[0].body);
    CHECK(body["count"] == 10'000);
    CHECK(body["alerts"].size() == 100);
    CHECK(body["event"] == "raised");
    CHECK(body["dispatcher"] == "FPR");
    CHECK(body["id"] == room.queue()[0].id);
    CHECK(body["alerts"][0]["rule"] == "agent_silent");
    CHECK(body["alerts"][0]["label"] == "host");
}

TEST_CASE("delivery: a failure is tried again with growing pauses, in order, and counted") {
    Room room;
    Metrics metrics;
    FakeChannel channel;
    Delivery delivery(*room.store, channel, metrics, room.clock);
    channel.failures = 2;
    room.round({silent("a")});
    room.clock.advance(1s);
    room.round({silent("a"), silent("b")});
    delivery.run();
    CHECK(channel.taken.empty());
    CHECK(metrics.text().find(R"(deliveries_total{channel="webhook",outcome="failed"} 1)") !=
          std::string::npos);
    CHECK(metrics.text().find("deliveries_pending 4") != std::string::npos);
    delivery.run();  // the second one is due, the first is not: it fails too
    delivery.run();
    CHECK(channel.failures == 0);
    room.clock.advance(9s);
    delivery.run();
    CHECK(channel.taken.empty());
    room.clock.advance(1s);
    delivery.run();
    CHECK(channel.taken.size() == 2);
    delivery.run();
    CHECK(channel.taken.size() == 2);
    CHECK(metrics.text().find(R"(deliveries_total{channel="webhook",outcome="delivered"} 2)") !=
          std::string::npos);
    CHECK(metrics.text().find("deliveries_pending 2") != std::string::npos);  // those of the other channel
}

TEST_CASE("delivery: pauses double up to an hour, after a day it is given up") {
    CHECK(Delivery::pause_after(1) == 10s);
    CHECK(Delivery::pause_after(2) == 20s);
    CHECK(Delivery::pause_after(4) == 80s);
    CHECK(Delivery::pause_after(50) == 1h);
    Room room;
    Metrics metrics;
    FakeChannel channel;
    channel.failures = 1000;
    Delivery delivery(*room.store, channel, metrics, room.clock);
    room.round({silent("a")});
    int attempts = 0;
    while (!room.queue().empty() || attempts == 0) {
        const int before = channel.failures;
        delivery.run();
        attempts += before - channel.failures;
        room.clock.advance(1h);
        REQUIRE(attempts < 100);
    }
    CHECK(attempts == 26);
    CHECK(metrics.text().find(R"(deliveries_total{channel="webhook",outcome="given_up"} 1)") !=
          std::string::npos);
}
