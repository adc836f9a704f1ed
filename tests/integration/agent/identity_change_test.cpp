// The change of a host's identity key: what it leaves at its end and after SIGKILL at any step; approvals
// that are none; and who reads the store alone, from the old key or the new one.
#include "agent/rotation/identity_change.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "agent/escrow/escrow.hpp"
#include "agent/escrow/recovery_keys.hpp"
#include "agent/maintenance/maintenance.hpp"
#include "common/backupset/identity_objects.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/opener.hpp"
#include "common/backupset/set_list.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/streams.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace strongroom::test;
using Catch::Matchers::Contains;

namespace {

struct ChangingHost : RegisteredHost {
    ChangingHost() {
        config.source = "command";
        deposit_escrow(state, agent.subkey, *store(), nullptr, clock);
    }
    std::string add_set(const std::string& text) {
        config.source_command = {"/bin/echo", text};
        ::usleep(1'010'000);  // set ids are ordered by second
        texts.push_back(text);
        return back_up().set;
    }
    const std::string& alice() const { return agent.recovery.at(0); }
    IdentityChangeState begin() const {
        auto out = begin_identity_change(state, "ed25519", clock);
        show_pending_identity(state, *store(), {});
        return out;
    }
    Bytes content() const {
        return gpg::read_unverified(from_base64(state.keys().identity_change->change.current),
                                    IdentityStatement::max_json);
    }
    Bytes approval() const { return gpg::sign(recovery_secret, alice(), content()); }
    RotationResult change(const std::function<void(const RotationStage&)>& when = {}) const {
        RotateOptions options;
        options.on_stage = when;
        return change_identity(state, *store(), clock, options, {});
    }
    AcceptsApprover by_alice() const {
        return [this](const std::string& fingerprint) { return fingerprint == alice(); };
    }
    Identities follow(const std::string& from) const {
        return Identities::follow(backupset::read_identities(*store(), agent.server), from, by_alice());
    }
    // With nothing but the store, the user's key, and this fingerprint of old.
    void require_all_open(const std::string& from) const {
        const auto opened = store();
        const auto identities = follow(from);
        const gpg::TempHome home;
        for (const auto& record : backupset::read_escrow_records(*opened, agent.server)) {
            const Bytes message = gpg::decrypt_signed(recovery_secret, record.record, 1U << 20U);
            gpg::VerifiedBy by;
            try {
                by = gpg::verify_by_one_of(identities.home(), identities.fingerprints(), message, 1U << 20U);
            } catch (const Error&) {  // of a change that is not committed: a record that nothing uses
                continue;
            }
            gpg::import_secret_key(home.home(), Secret(Bytes(by.payload)));
        }
        const auto sets = backupset::list_sets(*opened, agent.server, backupset::signers_of(identities));
        REQUIRE(sets.size() == texts.size());
        for (std::size_t i = 0; i < sets.size(); ++i) {
            INFO("set " << i << " " << sets[i].problem);
            REQUIRE(sets[i].manifest);
            CollectingTarget target;
            REQUIRE_NOTHROW(backupset::open_set({1}, *sets[i].manifest, *opened, home.home(), target));
            CHECK(target.bytes == texts[i] + "\n");
        }
        home.home().stop_daemons();
    }
    void refuses(BytesView given, ErrorKind kind, const std::string& text, const Clock& now) const {
        const auto before = to_json(state.keys());
        const Error error = error_of([&] { approve_identity_change(state, given, now); });
        INFO(error.text());
        CHECK(error.kind() == kind);
        CHECK_THAT(error.text(), Contains(text));
        CHECK(to_json(state.keys()) == before);
    }

    std::vector<std::string> texts;
};

}  // namespace

TEST_CASE("identity change: an approved one leads from the old key to the new, for every reader") {
    ChangingHost host;
    const std::string old = host.agent.identity;
    const auto first = host.add_set("first");
    const auto manifest = host.store()->get(backupset::manifest_key(host.agent.server, first), 1U << 20U);
    const Bytes before(manifest.view());

    const auto pending = host.begin();
    CHECK(host.state.agent().identity == old);  // nothing is in use yet
    CHECK(error_of([&] { host.change(); }).kind() == ErrorKind::refused);
    CHECK(error_of([&] { host.begin(); }).kind() == ErrorKind::exists);
    CHECK(backupset::read_identities(*host.store(), host.agent.server).pending);
    host.add_set("second");  // backups go on

    CHECK_THAT(approve_identity_change(host.state, host.approval(), host.clock), Contains("approved by"));
    const auto result = host.change();
    CHECK(host.state.agent().identity == pending.next);
    CHECK(host.state.agent().subkey != host.agent.subkey);
    CHECK(host.state.dispatcher_identity() == old);  // it was not told
    CHECK(result.rewrap.rewrapped == 2);
    REQUIRE(result.resign);
    CHECK(result.resign->signed_anew == 2);
    CHECK(result.resign->problems.empty());
    CHECK_FALSE(host.state.keys().rotation);
    CHECK(due_escrow(host.state, false).empty());

    // The old manifest is the same, its signature the new key's, and agent.asc, too.
    CHECK(host.store()->get(backupset::manifest_key(host.agent.server, first), 1U << 20U).view() == before);
    CHECK_NOTHROW(backupset::read_manifest(*host.store(), host.agent.server, first,
                                           {gpg::Home::use(host.state.own_home()), pending.next}));
    CHECK_NOTHROW(
        gpg::inspect_public_key(backupset::read_agent_key(*host.store(), host.agent.server), pending.next));

    host.add_set("third");
    const auto identities = host.follow(old);
    CHECK(identities.newest() == pending.next);
    REQUIRE(identities.steps().size() == 1);
    CHECK(identities.steps()[0].approver == host.alice());
    for (const auto& from : {old, pending.next}) host.require_all_open(from);
    // Its own reading: verify all, prune nothing.
    const auto verdict = verify_sets(host.config.maintenance, host.state, own_subject(host.state),
                                     *host.store(), host.clock, {});
    CHECK(verdict.sets.size() == 3);
    for (const auto& one : verdict.sets) CHECK(one.good());
    // An ordinary rotation afterwards, and a second change.
    CHECK(rotate(host.state, *host.store(), host.clock, {}).rewrap.rewrapped == 3);
    host.begin();
    approve_identity_change(host.state, host.approval(), host.clock);
    host.change();
    host.add_set("fourth");
    for (const auto& from : {old, pending.next, host.state.agent().identity}) host.require_all_open(from);
    CHECK(host.follow(old).steps().size() == 2);
}

TEST_CASE("identity change: a verifying host follows it, if a recovery key that it has pinned approved") {
    ChangingHost host;
    const std::string old = host.agent.identity;
    const auto set = host.add_set("first");
    RegisteredHost prover;
    prover.config.verify.servers = {host.agent.server + " " + old};
    const auto seen = [&] {
        return subject_of(prover.config, prover.state, *host.store(), host.agent.server);
    };
    CHECK(seen().signers.identity() == old);
    host.begin();
    approve_identity_change(host.state, host.approval(), host.clock);
    host.change();
    CHECK(error_of([&] { seen(); }).kind() == ErrorKind::refused);  // alice is nobody to it
    RecoveryChangeOrder order;
    order.add.push_back(inspect_recovery_key(Bytes(gpg::export_public(host.recovery_secret, host.alice()))));
    change_recovery_keys(prover.state, order, prover.clock);
    const auto subject = seen();
    CHECK(subject.signers.identity() == host.state.agent().identity);
    CHECK_NOTHROW(backupset::read_manifest(*host.store(), host.agent.server, set, subject.signers));
}

TEST_CASE("identity change: approvals that are none change nothing") {
    ChangingHost host;
    const SystemClock now;
    host.refuses(gpg::sign(host.recovery_secret, host.alice(), "{}"), ErrorKind::refused, "no change", now);
    host.begin();
    const Bytes content = host.content();
    const Bytes good = host.approval();
    const gpg::TempHome mallory;
    const auto stranger = gpg::generate_key(mallory.home(), "mallory@test.invalid", "ed25519");
    const gpg::Home own = gpg::Home::use(host.state.own_home());
    const auto pending = host.state.keys().identity_change->next;

    host.refuses("nothing", ErrorKind::unauthenticated, "no recovery key", now);
    host.refuses(content, ErrorKind::unauthenticated, "no recovery key", now);
    host.refuses(gpg::sign(mallory.home(), stranger, content), ErrorKind::unauthenticated, "no recovery key",
                 now);
    host.refuses(gpg::sign(own, host.agent.identity, content), ErrorKind::unauthenticated, "no recovery key",
                 now);
    host.refuses(gpg::sign(own, pending, content), ErrorKind::unauthenticated, "no recovery key", now);
    Bytes changed = good;
    changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
    host.refuses(changed, ErrorKind::unauthenticated, "no recovery key", now);

    auto other = read_statement<IdentityStatement>(content);
    const auto by_alice = [&] { return sign_statement(host.recovery_secret, host.alice(), other); };
    other.server = random_uuid();
    host.refuses(by_alice(), ErrorKind::refused, "another server", now);
    other = read_statement<IdentityStatement>(content);
    other.sequence = 2;
    host.refuses(by_alice(), ErrorKind::refused, "pending one is 1", now);
    other.sequence = 1;
    other.next = stranger;
    host.refuses(by_alice(), ErrorKind::refused, "another statement", now);
    other = read_statement<IdentityStatement>(content);
    other.expires += 1;
    host.refuses(by_alice(), ErrorKind::refused, "another statement", now);
    FakeClock late(now.now() + identity_change_validity + std::chrono::minutes(1));
    host.refuses(good, ErrorKind::refused, "expired", late);

    // Cancelled: the key is gone, and its approval is worth nothing for the next one.
    cancel_identity_change(host.state);
    CHECK_THROWS_AS(gpg::find_key(own, pending, true), Error);
    host.begin();
    host.refuses(good, ErrorKind::refused, "another statement", now);
    CHECK_THAT(approve_identity_change(host.state, host.approval(), now), Contains("is approved"));
    CHECK_THAT(approve_identity_change(host.state,
                                       host.state.keys().identity_change->change.approval
                                           ? from_base64(*host.state.keys().identity_change->change.approval)
                                           : Bytes(),
                                       now),
               Contains("approved before"));
}

TEST_CASE("identity change: SIGKILL at every step, and running it again ends it") {
    for (const char* at : {"store", "stored", "switch", "rewrap", "resign", "retired"}) {
        INFO("killed at " << at);
        ChangingHost host;
        const std::string old = host.agent.identity;
        host.add_set("old");
        host.begin();
        approve_identity_change(host.state, host.approval(), host.clock);
        CHECK(killed_in_child([&] {
            host.change([&](const RotationStage& stage) {
                if (stage.name == at) ::raise(SIGKILL);
            });
        }));
        // In between: a backup by the key in use then, and the old fingerprint reads all.
        host.add_set("between");
        CHECK(host.listed().size() == 2);
        host.require_all_open(old);
        CHECK(identity_change_goes_on(host.state));
        if (host.state.keys().identity_change || host.state.keys().rotation) host.change();
        host.add_set("new");
        host.require_all_open(old);
        host.require_all_open(host.state.agent().identity);
        CHECK(host.state.keys().identities->size() == 2);
    }
}

TEST_CASE("identity change: chains that do not hold are refused by whoever follows from the old key") {
    ChangingHost host;
    const std::string old = host.agent.identity;
    host.begin();
    approve_identity_change(host.state, host.approval(), host.clock);
    host.change();
    const std::string next = host.state.agent().identity;
    const auto good = backupset::read_identities(*host.store(), host.agent.server);
    const gpg::Home own = gpg::Home::use(host.state.own_home());
    const gpg::TempHome mallory;
    const auto stranger = gpg::generate_key(mallory.home(), host.agent.server + "@test.invalid", "ed25519");
    const auto claim = claim_of(good.changes.at(0));
    const auto refused = [&](const ShownIdentities& shown, const std::string& text, const std::string& from) {
        const Error error = error_of([&] { Identities::follow(shown, from, host.by_alice()); });
        INFO(error.text());
        CHECK(error.kind() == ErrorKind::refused);
        CHECK_THAT(error.text(), Contains(text));
    };
    const auto with = [&](const std::function<void(IdentityChange&)>& alter) {
        ShownIdentities out = good;
        alter(out.changes[0]);
        return out;
    };
    CHECK(Identities::follow(good, old, host.by_alice()).newest() == next);
    const Bytes bytes = gpg::read_unverified(good.changes[0].current, IdentityStatement::max_json);

    // Each of the three proofs, missing or by somebody else.
    refused(with([](auto& c) { c.current.clear(); }), "change 1", old);
    refused(with([](auto& c) { c.next.clear(); }), "change 1", old);
    refused(with([](auto& c) { c.approval.clear(); }), "no recovery key approved", old);
    refused(with([&](auto& c) { c.current = gpg::sign(own, next, bytes); }), "did not sign it", old);
    refused(with([&](auto& c) { c.current = gpg::sign(mallory.home(), stranger, bytes); }), "did not sign it",
            old);
    refused(with([&](auto& c) { c.next = gpg::sign(own, old, bytes); }), "nothing proves", old);
    refused(with([&](auto& c) { c.approval = gpg::sign(own, old, bytes); }), "approval is not signed", old);
    refused(with([&](auto& c) {
                c.approval = gpg::sign(mallory.home(), stranger, bytes);
                c.approver_key = gpg::export_public(mallory.home(), stranger);
            }),
            "none of the keys that may approve", old);
    // Backward, too, both keys must have signed.
    refused(with([&](auto& c) { c.current = gpg::sign(mallory.home(), stranger, bytes); }), "did not sign it",
            next);
    CHECK(Identities::follow(with([](auto& c) { c.approval.clear(); }), next, host.by_alice()).contains(old));

    // What a thief of the old key can sign, but nobody approved.
    const auto forged = [&](IdentityStatement other, const gpg::Home& new_home, const std::string& new_key) {
        return IdentityChange{sign_statement(own, old, other), sign_statement(new_home, new_key, other),
                              good.changes[0].approval, good.changes[0].approver_key};
    };
    auto other = claim;
    other.next = stranger;
    other.public_key = gpg::export_public(mallory.home(), stranger);
    auto shown = good;
    shown.changes = {forged(other, mallory.home(), stranger)};
    refused(shown, "different statements", old);
    shown.changes[0].approval =
        gpg::sign(mallory.home(), stranger,
                  gpg::read_unverified(shown.changes[0].current, IdentityStatement::max_json));
    refused(shown, "approval is not signed", old);
    refused(shown, "is none of them", next);  // who knows the true successor sees a fork

    // The order: a gap, a repetition, a fork, another server, the chain of somebody else, a key in use
    // elsewhere.
    other = claim;
    other.sequence = 2;
    shown.changes = {forged(other, own, next)};
    shown.changes[0].approval = sign_statement(host.recovery_secret, host.alice(), other);
    refused(shown, "a gap", old);
    shown.changes = {good.changes[0], good.changes[0]};
    refused(shown, "a gap, or a repetition", old);
    other = claim;
    other.sequence = 2;
    other.next = stranger;
    other.public_key = gpg::export_public(mallory.home(), stranger);
    shown.changes = {good.changes[0], forged(other, mallory.home(), stranger)};
    shown.changes[1].approval = sign_statement(host.recovery_secret, host.alice(), other);
    refused(shown, "a fork", old);
    shown = good;
    shown.server = random_uuid();
    refused(shown, "another server", old);
    refused(good, "is none of them", stranger);
    shown = good;
    shown.keys.clear();
    refused(shown, "is missing", old);
    shown = good;
    shown.public_key = gpg::export_public(mallory.home(), stranger);
    refused(shown, "no change leads", old);
}

TEST_CASE("identity change: a former key's signature counts for sets of its time alone") {
    ChangingHost host;
    host.add_set("old");
    const auto expires = parse_utc("2026-11-22T00:00:00Z");
    const backupset::Signers signers(gpg::Home::use(host.state.own_home()),
                                     {{std::string(40, 'A'), {}}, {std::string(40, 'B'), expires}});
    CHECK(signers.may_sign(std::string(40, 'A'), "20301122T013700Z-3f9a2c1b"));
    CHECK(signers.may_sign(std::string(40, 'B'), "20261121T235959Z-3f9a2c1b"));
    CHECK_FALSE(signers.may_sign(std::string(40, 'B'), "20261122T000001Z-3f9a2c1b"));
    CHECK_FALSE(signers.may_sign(std::string(40, 'C'), "20261121T235959Z-3f9a2c1b"));

    const auto set = host.listed().at(0);
    const backupset::Signers late(gpg::Home::use(host.state.own_home()),
                                  {{host.agent.identity, parse_utc("2020-01-01T00:00:00Z")}});
    CHECK_THAT(
        error_of([&] { backupset::read_manifest(*host.store(), host.agent.server, set, late); }).text(),
        Contains("until before this set was begun"));
}
