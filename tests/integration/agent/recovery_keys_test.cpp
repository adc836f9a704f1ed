// Recovery keys that are added and removed on the host: what is pinned, which records follow, what a store
// that fails half-way leaves.
#include "agent/escrow/recovery_keys.hpp"

#include <catch2/catch.hpp>

#include "agent/escrow/escrow.hpp"
#include "agent/rotation/rotation.hpp"
#include "common/backupset/escrow_index.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/faulty_store.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace strongroom::test;

namespace {

// A second owner, with the secret.
struct Owner {
    Owner() : fingerprint(gpg::generate_key(home.home(), "second@test.invalid", "ed25519")) {}
    RecoveryKey key() const {
        return inspect_recovery_key(gpg::export_public(home.home(), fingerprint), fingerprint);
    }
    gpg::TempHome home;
    std::string fingerprint;
};

bool opens(const gpg::Home& home, BytesView record) {
    try {
        gpg::decrypt(home, record, 1U << 20U);
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

TEST_CASE("recovery keys: a record for every subkey follows, those before are kept, whatever the store did") {
    RegisteredHost host;
    const Owner second;
    const auto store = host.store();
    const std::string first = host.agent.subkey;
    deposit_escrow(host.state, first, *store, nullptr, host.clock);
    rotate(host.state, *store, host.clock, {});
    // As a version left it that noted the last deposit only.
    auto escrow = host.state.escrow();
    escrow->older.reset();
    host.state.save(*escrow);
    CHECK(due_escrow(host.state, false).empty());
    std::map<std::string, std::string> before;
    for (const auto& record : backupset::read_escrow_records(*store, host.agent.server))
        before[record.subkey] = record.record;
    REQUIRE(before.size() == 2);

    RecoveryChangeOrder order;
    order.add.push_back(second.key());
    change_recovery_keys(host.state, order, host.clock);
    CHECK(host.state.agent().recovery ==
          std::vector<std::string>{host.agent.recovery.at(0), second.fingerprint});
    CHECK(due_escrow(host.state, false).size() == 2);

    // Every put of it fails once, stored or not; then it is done again from where it was left.
    for (int put = 1; put < 12; ++put) {
        FaultyStore faulty(*store);
        faulty.fail_put = put;
        faulty.store_anyway = put % 2 == 0;
        faulty.fail_all_after = true;
        try {
            deposit_due_escrow(host.state, faulty, nullptr, host.clock);
        } catch (const Error&) {
        }
        for (const auto& record : backupset::read_escrow_records(*store, host.agent.server))
            CHECK(opens(host.recovery_secret, record.record));
    }
    deposit_due_escrow(host.state, *store, nullptr, host.clock);
    CHECK(due_escrow(host.state, false).empty());
    for (const auto& record : backupset::read_escrow_records(*store, host.agent.server)) {
        CHECK(opens(host.recovery_secret, record.record));
        CHECK(opens(second.home.home(), record.record));
        const std::string kept(
            store->get(backupset::replaced_escrow_key(host.agent.server, record.subkey, 0), 1U << 20U)
                .view());
        CHECK(kept == before[record.subkey]);
    }
    const auto index = backupset::read_escrow_index(*store, host.agent.server, host.state.signers());
    REQUIRE(index);
    CHECK(index->records.size() == 4);
    for (const auto& record : index->records) {
        CHECK(record.kept);
        CHECK(record.recipients.size() == (record.replaced ? 1U : 2U));
        if (record.replaced) CHECK(record.sha256 == sha256_hex(before[record.subkey]));
    }
}

TEST_CASE("recovery keys: a set that no record can be made for is not pinned") {
    RegisteredHost host;
    const Owner second;
    const auto refused = [&](const RecoveryChangeOrder& order) {
        return error_of([&] { change_recovery_keys(host.state, order, host.clock); }).kind();
    };
    RecoveryChangeOrder order;
    order.remove = {second.fingerprint};
    CHECK(refused(order) == ErrorKind::not_found);
    order.remove = host.agent.recovery;
    CHECK(refused(order) == ErrorKind::refused);
    order.add.push_back(second.key());
    order.remove = {second.fingerprint};
    CHECK(refused(order) == ErrorKind::not_found);

    CHECK_FALSE(std::filesystem::exists(host.state.path() / "recovery.json"));
    // Replacing it is one step.
    order.remove = host.agent.recovery;
    CHECK(change_recovery_keys(host.state, order, host.clock).keys ==
          std::vector<std::string>{second.fingerprint});
    deposit_due_escrow(host.state, *host.store(), nullptr, host.clock);
    const auto records = backupset::read_escrow_records(*host.store(), host.agent.server);
    REQUIRE(records.size() == 1);
    CHECK(opens(second.home.home(), records[0].record));
    CHECK_FALSE(opens(host.recovery_secret, records[0].record));
}
