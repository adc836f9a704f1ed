// A change of a server's identity key, as an agent tells it: proposed, made, told again; and what is refused.
#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/message.hpp"
#include "tests/integration/dispatcher/api/api_room.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using strongroom::test::ApiRoom;
using strongroom::test::error_of;
using strongroom::test::Peer;

namespace {

struct Changing {
    Changing() { next->token = agent->token; }
    IdentityStatement statement() const {
        IdentityStatement out;
        out.server = agent->server;
        out.sequence = 1;
        out.current = agent->fingerprint;
        out.next = next->fingerprint;
        out.public_key = next->public_key;
        out.made = to_millis(room.clock.now());
        out.expires = out.made + 3'600'000;
        return out;
    }
    static Bytes by(const Peer& signer, const IdentityStatement& content) {
        return sign_statement(signer.home.home(), signer.fingerprint, content);
    }
    proto::IdentityChangeNews news(const Peer& old_key, const Peer& new_key, const Peer& approver,
                                   const IdentityStatement& content) const {
        return {to_base64(by(old_key, content)), to_base64(by(new_key, content)),
                to_base64(by(approver, content)), approver.public_key};
    }
    void refuses(const proto::IdentityChangeNews& news, const std::string& text) {
        const Error error = error_of([&] { room.ask(*agent, news); });
        INFO(error.text());
        CHECK_THAT(error.text(), Catch::Matchers::Contains(text));
        CHECK(room.ask(*alice, proto::ServerShow{agent->server}).info.identity == agent->fingerprint);
    }

    ApiRoom room;
    std::unique_ptr<Peer> alice = room.add_user("alice");
    std::unique_ptr<Peer> agent = room.add_agent(*alice);
    std::unique_ptr<Peer> next = room.make_peer(agent->server + "@test.invalid");
};

}  // namespace

TEST_CASE("identity.change: a proposal, the change, the same again, the old key is heard no more") {
    Changing c;
    auto good = c.news(*c.agent, *c.next, *c.alice, c.statement());
    auto proposal = good;
    proposal.approval.reset();
    proposal.approver_key.reset();
    CHECK(c.room.ask(*c.agent, proposal).state == "pending");
    CHECK(c.room.ask(*c.alice, proto::ServerShow{c.agent->server}).info.identity_pending ==
          c.next->fingerprint);
    const auto told = c.room.request(*c.agent, proto::IdentityChangeNews::type, to_json(good));
    CHECK(c.room.send(*c.agent, told).at("state") == "changed");
    const auto info = c.room.ask(*c.alice, proto::ServerShow{c.agent->server}).info;
    CHECK(info.identity == c.next->fingerprint);
    CHECK(info.identity_before == c.agent->fingerprint);
    CHECK_FALSE(info.identity_pending);

    // The reply was lost: the very message again gets it; another one by the old key hears why not.
    CHECK(c.room.send(*c.agent, told).at("state") == "changed");
    const Error refused = error_of([&] { c.room.ask(*c.agent, proto::JobNext{"1"}); });
    CHECK(refused.kind() == ErrorKind::forbidden);
    CHECK_THAT(refused.text(), Catch::Matchers::Contains("it counts no more"));
    CHECK(c.room.outcome(*c.agent, proto::IdentityChangeNews::type, to_json(good)) == "forbidden");
    CHECK(c.room.ask(*c.next, good).state == "changed");  // told again by the new key
    CHECK_FALSE(c.room.ask(*c.next, proto::JobNext{"1"}).job);

    const auto list = c.room.ask(*c.alice, proto::IdentityList{c.agent->server});
    REQUIRE(list.changes.size() == 1);
    CHECK(list.changes[0].current == good.current);
    CHECK(list.keys == std::vector{c.agent->public_key});
    const auto bob = c.room.add_user("bob");
    CHECK(c.room.outcome(*bob, proto::IdentityList::type, to_json(proto::IdentityList{c.agent->server})) ==
          "forbidden");
}

TEST_CASE("identity.change: without one of its three proofs nothing changes") {
    Changing c;
    const auto content = c.statement();
    const auto bob = c.room.add_user("bob");
    c.refuses(c.news(*c.next, *c.next, *c.alice, content), "did not sign it");
    c.refuses(c.news(*bob, *c.next, *c.alice, content), "did not sign it");
    c.refuses(c.news(*c.agent, *c.agent, *c.alice, content), "nothing proves");
    c.refuses(c.news(*c.agent, *c.next, *bob, content), "none of the keys that may approve");
    auto news = c.news(*c.agent, *c.next, *c.alice, content);
    news.approver_key = bob->public_key;
    c.refuses(news, "approval is not signed");
    auto other = content;
    other.sequence = 2;
    c.refuses(c.news(*c.agent, *c.next, *c.alice, other), "does not follow");
    news = c.news(*c.agent, *c.next, *c.alice, content);
    news.approval = to_base64(Changing::by(*c.alice, other));
    c.refuses(news, "different statements");
    other = content;
    other.server = random_uuid();
    c.refuses(c.news(*c.agent, *c.next, *c.alice, other), "another server");
    other = content;
    other.current = bob->fingerprint;
    c.refuses(c.news(*bob, *c.next, *c.alice, other), "goes on from");
}
