// What one backup leaves for the next, and the escrow record.
#include <catch2/catch.hpp>

#include "agent/escrow/escrow.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "tests/integration/agent/registered_host.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace strongroom::test;

TEST_CASE("only one backup runs at a time") {
    const RegisteredHost host;
    const auto lock = host.state.lock_backup();
    try {
        host.state.lock_backup();
        FAIL("two backups at once");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::busy);
    }
}

TEST_CASE("after a crash a committed set is kept, an unfinished one is removed, temporary files go") {
    RegisteredHost host;
    host.config.source = "command";
    host.config.source_command = {"/bin/echo", "kept"};
    const auto backup = host.back_up();

    // The crash came after the commit, before anything was remembered.
    host.state.change_runs([](RunState& runs) { runs = {}; });
    host.state.save(Begun{backup.set, host.config.store, backup.created, random_uuid(), {}, {}});
    std::filesystem::create_directories(host.state.temp_folder() / "source.left");
    recover_interrupted(host.host(), host.state.lock_backup());
    REQUIRE(host.state.runs().runs.size() == 1);
    CHECK(host.state.runs().runs[0].backup.set == backup.set);
    CHECK(host.state.runs().runs[0].backup.plain_bytes == backup.plain_bytes);
    CHECK(host.state.runs().runs[0].job);
    CHECK_FALSE(host.state.begun());
    CHECK(std::filesystem::is_empty(host.state.temp_folder()));

    // The crash came before the commit.
    const std::string cut = make_set_id(host.clock.now());
    const auto store = host.store();
    store->put(backupset::segment_key(host.agent.server, cut, 0), "ciphertext");
    store->put(backupset::manifest_key(host.agent.server, cut), "{}");
    host.state.save(Begun{cut, host.config.store, backup.created, {}, {}, {}});
    recover_interrupted(host.host(), host.state.lock_backup());
    CHECK(store->list(backupset::set_prefix(host.agent.server, cut)).empty());
    CHECK(host.listed() == std::vector<std::string>{backup.set});
    CHECK(host.state.runs().runs.size() == 1);
}

TEST_CASE("the escrow record holds the decryption subkey alone, for the pinned keys alone") {
    RegisteredHost host;
    const auto store = host.store();
    const Deposit escrow = deposit_escrow(host.state, host.agent.subkey, *store, nullptr, host.clock);
    CHECK(is_escrowed(host.state, host.agent));
    CHECK(escrow.recipients == host.agent.recovery);

    const auto records = backupset::read_escrow_records(*store, host.agent.server);
    REQUIRE(records.size() == 1);
    CHECK(records[0].subkey == host.agent.subkey);
    const gpg::TempHome opened;
    gpg::import_secret_key(opened.home(), gpg::decrypt(host.recovery_secret, records[0].record, 1U << 20U));
    for (const auto& subkey : gpg::find_key(opened.home(), host.agent.identity, true).subkeys)
        CHECK(subkey.secret == (subkey.fingerprint == host.agent.subkey));
}

TEST_CASE("an escrow to a key that is not in the recovery home fails and changes nothing") {
    RegisteredHost host;
    host.agent.recovery = {std::string(40, 'A')};
    write_file_atomic(host.state.agent_file(), to_json(host.agent).dump());
    const auto store = host.store();
    try {
        deposit_escrow(host.state, host.agent.subkey, *store, nullptr, host.clock);
        FAIL("was deposited");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::crypto);
    }
    CHECK(store->list("").empty());
    CHECK_FALSE(host.state.escrow());
}
