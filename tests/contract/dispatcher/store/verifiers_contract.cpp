// Which hosts may prove a server's sets, and who proved one.
#include <catch2/catch.hpp>

#include "tests/contract/dispatcher/store/store_contract.hpp"

namespace strongroom::test {

using namespace strongroom::dispatcher;

void check_verifiers(const OpenStore& open) {
    const auto store = open();
    const User alice = sample_user('A');
    const Server server = sample_server(alice, 'C');
    const Server host = sample_server(alice, 'D');
    Backup backup;
    backup.set = "20261122T013700Z-3f9a2c1b";
    backup.server = server.uuid;
    backup.kind = "full";
    Backup other = backup;
    other.server = host.uuid;  // a set id says nothing without its server
    store->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_server(server);
        tx.add_server(host);
        tx.put_backup(backup);
        tx.put_backup(other);
    });

    const auto named = [&](const Server& of) {
        std::optional<ServerVerifiers> out;
        store->read([&](Transaction& tx) { out = tx.find_verifiers(of.uuid); });
        return out;
    };
    const auto name = [&](const std::vector<std::string>& fingerprints) {
        store->transact([&](Transaction& tx) { tx.put_verifiers({server.uuid, fingerprints}); });
    };
    CHECK_FALSE(named(server));  // it never told
    const std::vector<std::string> two{std::string(40, '1'), std::string(40, '2')};
    name(two);
    CHECK(named(server)->fingerprints == two);
    CHECK_FALSE(named(host));
    name({two[1]});  // all of them, each time
    CHECK(named(server)->fingerprints == std::vector{two[1]});
    name({});  // told, and none
    REQUIRE(named(server));
    CHECK(named(server)->fingerprints.empty());

    store->transact([&](Transaction& tx) {
        CHECK(tx.put_restore_proof({server.uuid, backup.set, false, 20, "bad", host.uuid}));
        CHECK(tx.last_unproven_backup(server.uuid)->proof_by == host.uuid);
        CHECK_FALSE(tx.last_unproven_backup(host.uuid));
        Server verifying = host;
        verifying.source = "none";
        tx.describe_server(verifying);
        for (const auto& facts : tx.server_facts()) {
            CHECK(facts.restore_failed_by == (facts.uuid == server.uuid ? host.uuid : ""));
            CHECK(facts.source == (facts.uuid == server.uuid ? server.source : "none"));
        }
        // A later one by its own host takes its place, and who made it.
        CHECK(tx.put_restore_proof({server.uuid, backup.set, true, 30, "good", ""}));
        CHECK(tx.list_backups(server.uuid, 1).at(0).proof_by.empty());
        CHECK_FALSE(tx.put_restore_proof({server.uuid, backup.set, true, 30, "late", host.uuid}));
        CHECK(tx.last_proven_backup(server.uuid)->proof_by.empty());
        CHECK(tx.list_backups(host.uuid, 1).at(0).proof_text.empty());
    });
}

}  // namespace strongroom::test
