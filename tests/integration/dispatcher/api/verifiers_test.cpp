// Proofs of a set by another host than its own: whose count, and that no other leaves a trace.
#include <algorithm>
#include <catch2/catch.hpp>

#include "common/base/ids.hpp"
#include "tests/integration/dispatcher/api/api_room.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using strongroom::test::ApiRoom;
using strongroom::test::error_of;
using strongroom::test::Peer;

namespace {

using Fingerprints = std::vector<std::string>;

// One set of `source`, and a host that verifies for it if `source` says so.
struct Verified {
    Verified() {
        auto report = empty();
        report.backups = {backup(set)};
        room.ask(*source, report);
    }
    static proto::AgentReport empty() { return {"1", "host", "s", "t", {}, {}, {}, {}}; }
    static proto::Backup backup(const std::string& id) {
        proto::Backup out;
        out.set = id;
        out.kind = "full";
        out.source = "mariadb-backup";
        out.store = "file:///srv";
        return out;
    }
    void name(const Peer& server, const Fingerprints& verifiers) {
        auto report = empty();
        report.verifiers = verifiers;
        room.ask(server, report);
    }
    proto::SetProof proof(bool proven, const std::optional<std::string>& of) {
        room.clock.advance(std::chrono::seconds(1));
        proto::SetProof out{set, to_millis(room.clock.now()), proven, proven ? "it holds" : "it failed", of};
        return out;
    }
    void prove(const Peer& by, bool proven = true) {
        auto report = empty();
        report.proofs = {proof(proven, source->server)};
        room.ask(by, report);
    }
    std::optional<proto::SetProof> known() {
        return room.ask(*alice, proto::BackupList{source->server, 10}).backups.at(0).proof;
    }
    proto::Server shown() { return room.ask(*alice, proto::ServerShow{source->server}).info; }
    std::vector<proto::AuditList::Entry> audit(const Peer& user, const std::string& action) {
        auto out = room.ask(user, proto::AuditList{1000}).entries;
        std::erase_if(out, [&](const auto& one) { return one.action != action; });
        return out;
    }
    // A report with such a proof, and with news of `by` itself: that counts, and of the proof only `why`.
    void refuses(const Peer& by, const Peer& owner, const std::string& of, const std::string& why) {
        const auto before = room.ask(*alice, proto::BackupList{source->server, 10});
        const auto entries = audit(owner, "proof.refused").size();
        auto report = empty();
        report.proofs = {proof(false, of), proof(true, of)};
        report.backups = {backup("20261122T030000Z-" + random_uuid().substr(0, 8))};
        room.ask(by, report);
        CHECK(to_json(room.ask(*alice, proto::BackupList{source->server, 10})) == to_json(before));
        CHECK(std::ranges::count(room.ask(owner, proto::BackupList{by.server, 10}).backups,
                                 report.backups.front().set, &proto::Backup::set) == 1);
        const auto now = audit(owner, "proof.refused");
        REQUIRE(now.size() == entries + 1);
        INFO(now.front().text);
        CHECK(now.front().object == by.server);
        CHECK(now.front().actor == by.fingerprint);
        CHECK_THAT(now.front().text, Catch::Matchers::StartsWith("2 proof(s) left out"));
        CHECK_THAT(now.front().text, Catch::Matchers::Contains("of server " + of + ": "));
        CHECK_THAT(now.front().text, Catch::Matchers::Contains(why));
        CHECK(audit(owner, "set.proven").empty());
        CHECK(audit(owner, "set.not_proven").empty());
    }

    ApiRoom room;
    std::unique_ptr<Peer> alice = room.add_user("alice");
    std::unique_ptr<Peer> source = room.add_agent(*alice);
    std::unique_ptr<Peer> host = room.add_agent(*alice);
    const std::string set = "20261122T020000Z-3f9a2c1b";
};

constexpr const char* not_named = "does not name the identity key";
constexpr const char* not_there = "its user has no such server";

}  // namespace

TEST_CASE("verifiers: a host that the source names proves its sets, and lists say who did") {
    Verified v;
    CHECK_FALSE(v.shown().verifiers);
    v.name(*v.source, {v.host->fingerprint, v.alice->fingerprint});
    CHECK(v.shown().verifiers->size() == 2);
    REQUIRE(v.audit(*v.alice, "agent.verifiers").size() == 1);
    CHECK_THAT(v.audit(*v.alice, "agent.verifiers").front().text,
               Catch::Matchers::Contains(group_fingerprint(v.host->fingerprint)));
    v.name(*v.source, {v.alice->fingerprint, v.host->fingerprint});  // the same
    v.room.ask(*v.source, Verified::empty());                        // an agent that does not tell
    CHECK(v.audit(*v.alice, "agent.verifiers").size() == 1);
    CHECK(v.shown().verifiers->size() == 2);

    v.prove(*v.host, false);
    REQUIRE(v.known());
    CHECK_FALSE(v.known()->proven);
    CHECK(v.known()->by == v.host->server);
    CHECK_FALSE(v.known()->server);
    CHECK(v.shown().not_restored->by == v.host->server);
    const auto told = v.audit(*v.alice, "set.not_proven");
    REQUIRE(told.size() == 1);
    CHECK(told.front().object == v.source->server);
    CHECK(told.front().actor == v.host->fingerprint);
    CHECK(told.front().text == "by server " + v.host->server + ": it failed");
    v.room.store().read([&](Transaction& tx) {
        for (const auto& facts : tx.server_facts())
            CHECK(facts.restore_failed_by == (facts.uuid == v.source->server ? v.host->server : ""));
    });
    v.prove(*v.host);
    CHECK(v.shown().restored->by == v.host->server);
    CHECK_FALSE(v.shown().not_restored);

    // With a job of that host; and by the source itself, which then nobody else proved.
    v.room.ask(*v.alice, proto::JobCreate{v.host->server, "verify-full"});
    const auto order = v.room.ask(*v.host, proto::JobNext{"1"}).job;
    REQUIRE(order);
    proto::JobFinished finished{order->id, 1, "succeeded", {}, {}};
    finished.proof = v.proof(true, v.source->server);
    finished.proof->text = "by job";
    v.room.ask(*v.host, finished);
    CHECK(v.known()->text == "by job");
    CHECK(v.known()->by == v.host->server);
    v.prove(*v.source);  // names itself: like a proof that names nobody
    CHECK_FALSE(v.known()->by);
    CHECK(v.audit(*v.alice, "proof.refused").empty());
}

TEST_CASE("verifiers: a host is not believed who proved a set, and a repeated message changes nothing") {
    Verified v;
    v.name(*v.source, {v.host->fingerprint});
    auto report = Verified::empty();
    report.proofs = {v.proof(true, v.source->server)};
    report.proofs->front().by = v.source->server;
    const auto message = v.room.request(*v.host, proto::AgentReport::type, to_json(report));
    v.room.send(*v.host, message);
    CHECK(v.known()->by == v.host->server);
    const auto entries = v.audit(*v.alice, "set.proven").size();

    v.prove(*v.source, false);
    v.room.send(*v.host, message);                                   // the very message
    v.room.ask(*v.host, proto::AgentReport::type, to_json(report));  // the same words in another one
    CHECK(v.known()->text == "it failed");
    CHECK_FALSE(v.known()->by);
    CHECK(v.audit(*v.alice, "set.proven").size() == entries);

    // What was refused is not taken later, when its message comes again.
    const auto other = v.room.add_agent(*v.alice);
    report.proofs = {v.proof(true, v.source->server)};
    const auto early = v.room.request(*other, proto::AgentReport::type, to_json(report));
    v.room.send(*other, early);
    v.name(*v.source, {v.host->fingerprint, other->fingerprint});
    v.room.send(*other, early);
    CHECK(v.known()->text == "it failed");
}

TEST_CASE("verifiers: a proof that comes too early is asked for again, and then counts") {
    Verified v;
    auto report = Verified::empty();
    report.sends_again = true;
    const auto ask = [&](const Peer& by, const std::string& of, const std::string& set) {
        report.proofs = {v.proof(true, of)};
        report.proofs->front().set = set;
        const auto reply = v.room.ask(by, report);
        if (reply.not_yet) {
            REQUIRE(reply.not_yet->size() == 1);
            CHECK(reply.not_yet->front().set == set);
            CHECK(reply.not_yet->front().server == of);
        }
        return reply.not_yet.has_value();
    };
    const std::string unknown = "20261122T030000Z-00000001";
    CHECK(ask(*v.host, v.source->server, v.set));  // nobody named it yet
    CHECK(v.audit(*v.alice, "proof.refused").size() == 1);
    v.name(*v.source, {v.host->fingerprint});
    CHECK_FALSE(v.known());
    CHECK_FALSE(ask(*v.host, v.source->server, v.set));
    CHECK(v.known()->by == v.host->server);
    CHECK_FALSE(ask(*v.host, v.source->server, v.set));

    for (const Peer* by : {&*v.host, &*v.source}) CHECK(ask(*by, v.source->server, unknown));
    CHECK(v.audit(*v.alice, "proof.refused").size() == 1);
    auto made = Verified::empty();
    made.backups = {Verified::backup(unknown)};
    v.room.ask(*v.source, made);
    CHECK_FALSE(ask(*v.host, v.source->server, unknown));
    CHECK(v.known()->by == v.host->server);  // the newest set
    made.backups = {};
    made.removed = {unknown};
    v.room.ask(*v.source, made);
    CHECK_FALSE(ask(*v.host, v.source->server, unknown));  // it was there

    // Not for good reason, or to an agent that would not understand.
    const auto bob = v.room.add_user("bob");
    const auto foreign = v.room.add_agent(*bob);
    CHECK_FALSE(ask(*foreign, v.source->server, v.set));
    CHECK_FALSE(ask(*v.host, random_uuid(), v.set));
    report.sends_again.reset();
    CHECK_FALSE(ask(*v.source, v.source->server, "20261122T040000Z-00000001"));
    v.room.ask(*v.alice, proto::ServerRetire{v.source->server});
    report.sends_again = true;
    CHECK_FALSE(ask(*v.host, v.source->server, v.set));
}

TEST_CASE("verifiers: who is not named by the very server proves nothing of it") {
    Verified v;
    const auto other = v.room.add_agent(*v.alice);
    SECTION("it never told of any") {}
    SECTION("it names none") {
        v.name(*v.source, {});
    }
    SECTION("it names another host") {
        v.name(*v.source, {other->fingerprint, v.host->subkey});
    }
    SECTION("another server names the host") {
        v.name(*other, {v.host->fingerprint});
    }
    SECTION("the host names itself, and the source") {
        v.name(*v.host, {v.host->fingerprint, v.source->fingerprint});
    }
    SECTION("a later report withdraws it") {
        v.name(*v.source, {v.host->fingerprint, other->fingerprint});
        v.name(*v.source, {other->fingerprint});
    }
    SECTION("a later report withdraws all") {
        v.name(*v.source, {v.host->fingerprint});
        v.name(*v.source, {});
        CHECK_THAT(v.audit(*v.alice, "agent.verifiers").front().text,
                   Catch::Matchers::StartsWith("names no other host any more"));
    }
    v.refuses(*v.host, *v.alice, v.source->server, not_named);
}

TEST_CASE("verifiers: a server of another user, an unknown and a retired one") {
    Verified v;
    const auto bob = v.room.add_user("bob");
    const auto foreign = v.room.add_agent(*bob);
    v.name(*v.source, {v.host->fingerprint, foreign->fingerprint});
    v.refuses(*foreign, *bob, v.source->server, not_there);  // although it is named
    CHECK(v.audit(*v.alice, "proof.refused").empty());       // a stranger writes nothing into her log
    v.refuses(*foreign, *bob, random_uuid(), not_there);     // told apart from hers by nothing
    v.refuses(*v.host, *v.alice, random_uuid(), not_there);
    v.room.ask(*v.alice, proto::ServerRetire{v.source->server});
    v.refuses(*v.host, *v.alice, v.source->server, "that server is retired");
}

TEST_CASE("verifiers: the host's identity key of now, and no former one") {
    Verified v;
    v.name(*v.source, {v.host->fingerprint});
    const auto next = v.room.make_peer(v.host->server + "@test.invalid");
    next->token = v.host->token;
    next->server = v.host->server;
    const auto before = v.room.api().admit(v.host->authorization());
    v.room.store().transact([&](Transaction& tx) {
        tx.put_server_identity(v.host->server, next->fingerprint, next->public_key);
    });
    v.refuses(*next, *v.alice, v.source->server, not_named);  // it names the former key

    // The former key, by a message that passed the gate before the change; nothing of it counts.
    auto report = Verified::empty();
    report.proofs = {v.proof(true, v.source->server)};
    for (const Fingerprints& named : {Fingerprints{v.host->fingerprint}, Fingerprints{next->fingerprint}}) {
        v.name(*v.source, named);
        const auto late = v.room.request(*v.host, proto::AgentReport::type, to_json(report));
        const Error error = error_of([&] { v.room.send_past_gate(*v.host, late, before); });
        CHECK(error.kind() == ErrorKind::forbidden);
        CHECK_THAT(error.text(), Catch::Matchers::Contains("it counts no more"));
        CHECK_FALSE(v.known());
    }
    v.prove(*next);
    CHECK(v.known()->by == next->server);
}

TEST_CASE("verifiers: of many proofs that do not count there is one entry, as long as others") {
    Verified v;
    auto report = Verified::empty();
    report.proofs.emplace();
    for (int i = 0; i < 100; ++i) report.proofs->push_back(v.proof(true, v.source->server));
    v.room.ask(*v.host, report);
    const auto entries = v.audit(*v.alice, "proof.refused");
    REQUIRE(entries.size() == 1);
    CHECK_THAT(entries.front().text, Catch::Matchers::StartsWith("100 proof(s) left out; set " + v.set));
    CHECK(entries.front().text.size() <= 1510);
    CHECK_FALSE(v.known());

    // A job whose proof does not count ends all the same.
    v.room.ask(*v.alice, proto::JobCreate{v.host->server, "verify-full"});
    const auto order = v.room.ask(*v.host, proto::JobNext{"1"}).job;
    REQUIRE(order);
    proto::JobFinished finished{order->id, 1, "succeeded", {}, {}};
    finished.proof = v.proof(true, v.source->server);
    v.room.ask(*v.host, finished);
    CHECK(v.room.ask(*v.alice, proto::JobList{v.host->server, 1}).jobs.at(0).state == "succeeded");
    CHECK(v.audit(*v.alice, "proof.refused").size() == 2);
    CHECK_FALSE(v.known());
}
