// A change of the recovery keys that comes as a statement: only one that a pinned key signed for exactly this
// host, this moment and what is pinned now has any effect, and only once (S5, S7, S8).
#include "agent/escrow/recovery_statement.hpp"

#include <catch2/catch.hpp>

#include "agent/escrow/escrow.hpp"
#include "agent/escrow/recovery_keys.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "proto/statement_messages.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace strongroom::test;

namespace {

struct Key {
    explicit Key(const std::string& name)
        : fingerprint(gpg::generate_key(home.home(), name + "@test.invalid", "ed25519")) {}
    std::string armored() const { return gpg::export_public(home.home(), fingerprint); }
    gpg::TempHome home;
    std::string fingerprint;
};

struct PinningHost : RegisteredHost {
    const std::string& alice() const { return agent.recovery.at(0); }
    // alice adds bob.
    proto::RecoveryKeysStatement adding(const Key& bob) const {
        proto::RecoveryKeysStatement out;
        out.server = agent.server;
        out.sequence = state.recovery().sequence + 1;
        out.previous = out.recovery = state.recovery().keys;
        out.recovery.push_back(bob.fingerprint);
        out.keys = {bob.armored()};
        out.made = to_millis(clock.now());
        out.expires = out.made + 3'600'000;
        return out;
    }
    Bytes by_alice(const proto::RecoveryKeysStatement& content) const {
        return proto::sign_statement(recovery_secret, alice(), content);
    }
    std::string apply(BytesView statement, bool allowed = true) const {
        return apply_recovery_statement(state, statement, allowed, clock);
    }
    // Refused with this kind and text, and nothing on the host changed.
    void refuses(BytesView statement, ErrorKind kind, const std::string& text, bool allowed = true) const {
        const auto before = to_json(state.recovery());
        const auto keys = gpg::list_keys(gpg::Home::use(state.recovery_home())).size();
        const Error error = error_of([&] { apply(statement, allowed); });
        INFO(error.text());
        CHECK(error.kind() == kind);
        CHECK(error.text().find(text) != std::string::npos);
        CHECK(to_json(state.recovery()) == before);
        CHECK(gpg::list_keys(gpg::Home::use(state.recovery_home())).size() == keys);
    }
};

}  // namespace

TEST_CASE("a statement about recovery keys: forged, foreign, stale and broken ones change nothing") {
    const PinningHost host;
    const Key bob("bob");
    const Key mallory("mallory");
    const auto good = host.adding(bob);
    const Bytes statement = host.by_alice(good);
    const auto unauthenticated = ErrorKind::unauthenticated;
    const auto refused = ErrorKind::refused;

    // The host's own policy.
    host.refuses(statement, refused, "takes no statements", false);

    // Who signed it.
    host.refuses("no statement at all", unauthenticated, "no recovery key");
    host.refuses(to_json(good).dump(), unauthenticated, "no recovery key");
    host.refuses(proto::sign_statement(mallory.home.home(), mallory.fingerprint, good), unauthenticated,
                 "no recovery key");
    host.refuses(proto::sign_statement(bob.home.home(), bob.fingerprint, good), unauthenticated,
                 "no recovery key");  // who is to be added
    host.refuses(proto::sign_statement(gpg::Home::use(host.state.own_home()), host.agent.identity, good),
                 unauthenticated, "no recovery key");  // the agent's own key
    Bytes changed = statement;
    changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
    host.refuses(changed, unauthenticated, "no recovery key");
    host.refuses(statement + statement, unauthenticated, "no recovery key");
    host.refuses(gpg::sign(host.recovery_secret, host.alice(), statement), ErrorKind::protocol, "");

    // What it is for.
    auto other = good;
    other.server = random_uuid();
    host.refuses(host.by_alice(other), refused, "another server");
    for (const std::int64_t sequence : {2, 3, 1000}) {
        other = good;
        other.sequence = sequence;
        host.refuses(host.by_alice(other), refused, "the next one here is 1");
    }
    other = good;
    other.previous = {mallory.fingerprint};
    host.refuses(host.by_alice(other), refused, "other recovery keys");
    other.previous = {host.alice(), mallory.fingerprint};
    host.refuses(host.by_alice(other), refused, "other recovery keys");

    // When.
    other = good;
    other.expires = other.made;
    host.refuses(host.by_alice(other), refused, "has expired");
    other = good;
    other.made += 3'000'000;
    host.refuses(host.by_alice(other), refused, "future");
    other = good;
    other.expires = other.made + INT64_C(8) * 24 * 3'600'000;
    host.refuses(host.by_alice(other), refused, "more than seven days");

    // Which keys.
    other = good;
    other.keys.clear();
    host.refuses(host.by_alice(other), ErrorKind::protocol, "does not bring it");
    other = good;
    other.keys = {mallory.armored()};
    host.refuses(host.by_alice(other), ErrorKind::protocol, "does not name");
    other.keys = {bob.armored(), mallory.armored()};
    host.refuses(host.by_alice(other), ErrorKind::protocol, "does not name");
    other.keys = {bob.armored(), bob.armored()};
    host.refuses(host.by_alice(other), ErrorKind::protocol, "twice");
    other.keys = {bob.armored() + mallory.armored()};
    host.refuses(host.by_alice(other), ErrorKind::crypto, "");
    other.keys = {std::string(gpg::export_secret_key(bob.home.home(), bob.fingerprint).reveal())};
    host.refuses(host.by_alice(other), ErrorKind::crypto, "secret");
    other = good;
    other.recovery.push_back(bob.fingerprint);
    host.refuses(host.by_alice(other), ErrorKind::protocol, "twice");
    other = good;
    other.recovery.clear();
    other.keys.clear();
    host.refuses(host.by_alice(other), refused, "the last recovery key");
}

TEST_CASE("a statement about recovery keys has its effect once, and never again after another change") {
    const PinningHost host;
    const Key bob("bob");
    const Bytes added = host.by_alice(host.adding(bob));
    const auto never_used = host.adding(bob);  // made for the same change
    CHECK(host.apply(added).find("change 1") == 0);
    CHECK(host.state.recovery().keys == std::vector<std::string>{host.alice(), bob.fingerprint});
    CHECK(host.state.recovery().changes.back().by == host.alice());
    CHECK(due_escrow(host.state, false).size() == 1);
    CHECK(host.apply(added).find("applied before") == 0);  // its answer was lost
    CHECK(host.state.recovery().sequence == 1);

    auto removing = host.adding(bob);
    removing.recovery = {bob.fingerprint};
    removing.keys.clear();
    CHECK(host.apply(proto::sign_statement(bob.home.home(), bob.fingerprint, removing)).find("change 2") ==
          0);
    CHECK(host.state.recovery().keys == std::vector<std::string>{bob.fingerprint});

    // alice was removed: nothing that she signs counts any more, replayed or new.
    CHECK(host.apply(added).find("applied before, as change 1") == 0);
    CHECK(host.state.recovery().keys == std::vector<std::string>{bob.fingerprint});
    host.refuses(host.by_alice(never_used), ErrorKind::unauthenticated, "no recovery key");
    const Key carol("carol");
    host.refuses(host.by_alice(host.adding(carol)), ErrorKind::unauthenticated, "no recovery key");

    // What bob signed for the change before this one, and kept back.
    auto late = host.adding(carol);
    late.sequence = 2;
    host.refuses(proto::sign_statement(bob.home.home(), bob.fingerprint, late), ErrorKind::refused,
                 "the next one here is 3");
    // A change on the host comes first: what was signed before it is void.
    const Bytes before = proto::sign_statement(bob.home.home(), bob.fingerprint, host.adding(carol));
    RecoveryChangeOrder by_hand;
    by_hand.add.push_back(inspect_recovery_key(carol.armored()));
    change_recovery_keys(host.state, by_hand, host.clock);
    host.refuses(before, ErrorKind::refused, "the next one here is 4");
}
