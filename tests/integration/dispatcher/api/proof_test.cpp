// Proof of recovery at the dispatcher: what it takes for a proof, and everything that it does not.
#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "common/gpg/packets.hpp"
#include "tests/integration/dispatcher/api/api_room.hpp"

using namespace strongroom;
using strongroom::test::ApiRoom;
using strongroom::test::Peer;
using namespace std::chrono_literals;

namespace {

struct Proving {
    Proving() { deposit(*agent, agent->subkey, "record"); }

    void deposit(const Peer& from, const std::string& subkey, const std::string& record,
                 std::optional<std::string> key = {}) {
        room.clock.advance(1ms);
        room.ask(from, proto::EscrowDeposit{subkey, to_base64(record), {alice->fingerprint}, std::move(key)});
    }
    proto::EscrowChallenge::Reply challenge() {
        return room.ask(*alice, proto::EscrowChallenge{agent->server});
    }
    // What the agent's own key, which is the escrowed one, makes of it.
    proto::EscrowProve answer(const proto::EscrowChallenge::Reply& challenge) const {
        proto::EscrowProve out{agent->server, challenge.challenge, {}};
        for (const auto& item : challenge.items)
            out.answers.push_back({item.subkey, item.sha256, sha256_hex(text(item))});
        return out;
    }
    std::string text(const proto::EscrowChallenge::Item& item) const {
        return std::string(gpg::decrypt(agent->home.home(), from_base64(item.message), 4096).reveal());
    }
    proto::Server shown() { return room.ask(*alice, proto::ServerShow{agent->server}).info; }
    std::string outcome(const Peer& from, const proto::EscrowProve& proof) {
        return room.outcome(from, proto::EscrowProve::type, to_json(proof));
    }

    ApiRoom room;
    std::unique_ptr<Peer> alice = room.add_user("alice");
    std::unique_ptr<Peer> bob = room.add_user("bob");
    std::unique_ptr<Peer> agent = room.add_agent(*alice);
};

}  // namespace

TEST_CASE("proof: the opened challenge proves a server, for the time that a proof counts") {
    Proving p;
    CHECK_FALSE(p.shown().proven);
    CHECK_FALSE(p.shown().recoverable);
    const auto challenge = p.challenge();
    REQUIRE(challenge.items.size() == 1);
    CHECK(challenge.items[0].sha256 == sha256_hex("record"));
    CHECK(gpg::recipient_key_ids(from_base64(challenge.items[0].message)) ==
          std::vector{gpg::key_id_of(p.agent->subkey)});
    const std::string text = p.text(challenge.items[0]);
    for (const auto& part : {p.agent->server, p.agent->subkey, p.alice->fingerprint, challenge.challenge})
        CHECK(text.find(part) != std::string::npos);

    const auto proven = p.room.ask(*p.alice, p.answer(challenge)).proven;
    CHECK(proven == to_millis(p.room.clock.now()));
    CHECK(p.shown().proven == proven);
    CHECK(p.shown().proven_by == p.alice->fingerprint);
    CHECK(p.shown().recoverable);
    p.room.store().read([&](dispatcher::Transaction& tx) {
        CHECK(tx.server_facts().at(0).proven == proven);
        bool audited = false;
        for (const auto& entry : tx.list_audit(p.alice->fingerprint, 100))
            audited = audited || entry.action == "escrow.prove";
        CHECK(audited);
    });

    p.room.clock.advance(90 * 24h + 1s);
    CHECK(p.shown().proven == proven);
    CHECK_FALSE(p.shown().recoverable);
    p.room.ask(*p.alice, p.answer(p.challenge()));
    CHECK(p.shown().recoverable);
}

TEST_CASE("proof: wrong key, replay, stale, another server's, another user's, changed record: refused") {
    Proving p;
    const auto challenge = p.challenge();
    const auto good = p.answer(challenge);
    auto bad = good;
    SECTION("a wrong answer, as another key would give") {
        bad.answers[0].answer = sha256_hex("something else");
        CHECK(p.outcome(*p.alice, bad) == "refused");
        CHECK_FALSE(p.shown().proven);
        CHECK(p.outcome(*p.alice, good) == "ok");
    }
    SECTION("answered twice") {
        CHECK(p.outcome(*p.alice, good) == "ok");
        CHECK(p.outcome(*p.alice, good) == "refused");  // a new message with the old answer
    }
    SECTION("too late") {
        p.room.clock.advance(10min);
        CHECK(p.outcome(*p.alice, good) == "refused");
    }
    SECTION("a challenge that was never made, or of another server") {
        bad.challenge = random_uuid();
        CHECK(p.outcome(*p.alice, bad) == "refused");
        const auto other = p.room.add_agent(*p.alice);
        p.deposit(*other, other->subkey, "other record");
        bad = good;
        bad.server = other->server;
        CHECK(p.outcome(*p.alice, bad) == "refused");
    }
    SECTION("by another user, also one who owns a server") {
        const auto bobs = p.room.add_agent(*p.bob);
        CHECK(p.outcome(*p.bob, good) == "forbidden");
        bad.server = bobs->server;
        CHECK(p.outcome(*p.bob, bad) == "refused");
    }
    SECTION("opened from another record than the newest here") {
        bad.answers[0].sha256 = sha256_hex("an older record");
        CHECK(p.outcome(*p.alice, bad) == "refused");
        p.deposit(*p.agent, p.agent->subkey, "a new record");
        CHECK(p.outcome(*p.alice, good) == "refused");
    }
    SECTION("not all, or one twice, or of another subkey") {
        bad.answers.clear();
        CHECK(p.outcome(*p.alice, bad) == "refused");
        bad.answers = {good.answers[0], good.answers[0]};
        CHECK(p.outcome(*p.alice, bad) == "refused");
        bad.answers = good.answers;
        bad.answers[0].subkey = std::string(40, 'E');
        CHECK(p.outcome(*p.alice, bad) == "refused");
    }
    SECTION("nothing in escrow") {
        const auto fresh = p.room.add_agent(*p.alice);
        CHECK(p.room.outcome(*p.alice, "escrow.challenge", {{"server", fresh->server}}) == "refused");
        CHECK(p.outcome(*p.alice, good) == "ok");
    }
}

TEST_CASE("proof: a changed record or a rotation takes it away until it is proven again") {
    Proving p;
    p.room.ask(*p.alice, p.answer(p.challenge()));
    CHECK(p.shown().recoverable);
    p.deposit(*p.agent, p.agent->subkey, "a new record");
    CHECK_FALSE(p.shown().proven);
    p.room.ask(*p.alice, p.answer(p.challenge()));
    CHECK(p.shown().recoverable);

    const auto fresh = gpg::add_encryption_subkey(p.agent->home.home(), p.agent->fingerprint);
    p.deposit(*p.agent, fresh, "record of the new subkey",
              gpg::export_public(p.agent->home.home(), p.agent->fingerprint));
    CHECK_FALSE(p.shown().recoverable);
    // Both are asked for, and the one in use must be answered: sets may need the old one for a while.
    const auto challenge = p.challenge();
    REQUIRE(challenge.items.size() == 2);
    CHECK(challenge.items[0].subkey == fresh);
    auto proof = p.answer(challenge);
    proof.answers.erase(proof.answers.begin());
    CHECK(p.outcome(*p.alice, proof) == "refused");
    proof = p.answer(challenge);
    proof.answers.pop_back();
    p.room.ask(*p.alice, proof);
    CHECK(p.shown().recoverable);
}
