// Requests for escrow records: limited, and told to all who rely on them.
#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/handler/escrow_requests.hpp"
#include "tests/integration/dispatcher/api/api_room.hpp"

using namespace strongroom;
using strongroom::test::ApiRoom;
using strongroom::test::Peer;
using namespace std::chrono_literals;

namespace {

struct Fetching {
    Fetching() {
        room.ask(*agent, proto::EscrowDeposit{agent->subkey, to_base64("record"), {alice->fingerprint}, {}});
    }
    std::string fetch(const Peer& server) {
        room.clock.advance(1s);
        return room.outcome(*alice, proto::EscrowFetch::type, to_json(proto::EscrowFetch{server.server}));
    }
    void set_limits(int of_user, int of_server) {
        room.store().transact([&](dispatcher::Transaction& tx) {
            tx.put_service_value(dispatcher::fetches_of_user_value, std::to_string(of_user));
            tx.put_service_value(dispatcher::fetches_of_server_value, std::to_string(of_server));
        });
    }
    proto::Server shown() { return room.ask(*alice, proto::ServerShow{agent->server}).info; }

    ApiRoom room;
    std::unique_ptr<Peer> alice = room.add_user("alice");
    std::unique_ptr<Peer> agent = room.add_agent(*alice);
};

}  // namespace

TEST_CASE("escrow records: so many requests an hour for a server, so many of a user") {
    Fetching f;
    const auto second = f.room.add_agent(*f.alice);
    f.set_limits(4, 2);
    CHECK(f.fetch(*f.agent) == "ok");
    CHECK(f.fetch(*f.agent) == "ok");
    CHECK(f.fetch(*f.agent) == "refused");
    CHECK(f.fetch(*second) == "ok");  // another server's are not used up
    CHECK(f.fetch(*second) == "ok");
    const auto third = f.room.add_agent(*f.alice);
    CHECK(f.fetch(*third) == "refused");  // the user's are
    CHECK(f.shown().fetches == 2);        // a refused request gives nothing out
    f.room.clock.advance(1h);
    CHECK(f.fetch(*f.agent) == "ok");
    CHECK(f.fetch(*third) == "ok");
    std::size_t refused = 0;
    for (const auto& entry : f.room.ask(*f.alice, proto::AuditList{100}).entries)
        if (entry.action == "escrow.fetch" && entry.text.find("which is the limit") != std::string::npos)
            ++refused;
    CHECK(refused == 2);
}

TEST_CASE(
    "escrow records: a request is shown to the owner, told to the host and to the other recovery keys") {
    Fetching f;
    const auto bob = f.room.add_user("bob");      // holds a second recovery key
    const auto carol = f.room.add_user("carol");  // has nothing to do with it
    proto::Server info = f.shown();
    CHECK_FALSE(info.fetched);
    CHECK(info.fetches == 0);
    CHECK_FALSE(f.room.ask(*f.agent, proto::JobNext{"1"}).escrow_fetched);
    f.room.store().transact([&](dispatcher::Transaction& tx) {
        tx.put_server_recovery(f.agent->server, {f.alice->fingerprint, bob->fingerprint}, 1);
    });

    f.room.woken.clear();
    REQUIRE(f.fetch(*f.agent) == "ok");
    const auto first = to_millis(f.room.clock.now());
    CHECK(f.room.woken == std::vector{f.agent->server});
    const auto waiting = f.room.api().admit_waiting(f.agent->authorization());
    CHECK(waiting.work);  // it asks, although there is no job
    info = f.shown();
    CHECK(info.fetched == first);
    CHECK(info.fetched_by == f.alice->fingerprint);
    CHECK(info.fetches == 1);
    const auto told = f.room.ask(*f.agent, proto::JobNext{"1"});
    REQUIRE(told.escrow_fetched);
    CHECK(told.escrow_fetched->time == first);
    CHECK(told.escrow_fetched->by == f.alice->fingerprint);
    CHECK_FALSE(told.job);
    CHECK_FALSE(f.room.api().admit_waiting(f.agent->authorization()).work);

    const auto entries_of = [&](const Peer& user) {
        std::string out;
        for (const auto& entry : f.room.ask(user, proto::AuditList{100}).entries)
            if (entry.action == "escrow.fetch") out += entry.actor + " " + entry.object + "\n";
        return out;
    };
    const std::string entry = f.alice->fingerprint + " " + f.agent->server + "\n";
    CHECK(entries_of(*f.alice) == entry);
    CHECK(entries_of(*bob) == entry);
    CHECK(entries_of(*carol).empty());
    std::vector<dispatcher::ServerFacts> facts;
    f.room.store().read([&](dispatcher::Transaction& tx) { facts = tx.server_facts(); });
    REQUIRE(facts.size() == 1);
    CHECK(facts[0].fetched == first);
    CHECK(facts[0].fetched_by == f.alice->fingerprint);

    f.room.clock.advance(24h * 31);
    CHECK_FALSE(f.shown().fetched);
}
