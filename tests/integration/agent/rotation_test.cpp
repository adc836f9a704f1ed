// Rotation of the decryption subkey: what it leaves, at its end and after a crash, a stop or a store that
// fails at any moment. The rule of all of them: every set opens with a key that is in escrow.
#include "agent/rotation/rotation.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <iostream>
#include <random>

#include "agent/escrow/escrow.hpp"
#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/opener.hpp"
#include "common/backupset/set_list.hpp"
#include "common/backupset/store_root.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "common/gpg/packets.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/streams.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace strongroom::test;

namespace {

struct RotatingHost : RegisteredHost {
    RotatingHost() {
        config.source = "command";
        deposit_escrow(state, agent.subkey, *store(), nullptr, clock);
    }
    std::string add_set(const std::string& text) {
        config.source_command = {"/bin/echo", text};
        texts.push_back(text);
        return back_up().set;
    }
    RotationResult rotate(RotateOptions options = {}) const {
        return agent::rotate(state, *store(), clock, options);
    }
    std::vector<std::string> recipients(const std::string& set) const {
        return gpg::recipient_key_ids(
            store()->get(backupset::envelope_key(agent.server, set), backupset::max_envelope).view());
    }

    // Opens every set with nothing but what the user finds in the store: escrow records and agent.asc.
    // `only`: with the record of this subkey alone.
    void require_all_open(const std::string& only = {}) const {
        const auto opened = store();
        const gpg::TempHome home;
        gpg::import_public_key(home.home(), backupset::read_agent_key(*opened, agent.server), agent.identity);
        for (const auto& record : backupset::read_escrow_records(*opened, agent.server))
            if (only.empty() || record.subkey == only)
                gpg::import_secret_key(home.home(), gpg::decrypt(recovery_secret, record.record, 1U << 20U));
        const auto sets = listed();
        REQUIRE(sets.size() == texts.size());
        for (std::size_t i = 0; i < sets.size(); ++i) {
            INFO("set " << i);
            const auto manifest =
                backupset::read_manifest(*opened, agent.server, sets[i], home.home(), agent.identity);
            CollectingTarget target;
            REQUIRE_NOTHROW(backupset::open_set({1}, manifest, *opened, home.home(), target));
            CHECK(target.bytes == texts[i] + "\n");
        }
    }

    // Rotates in a child process that `when` may end with SIGKILL. True if it was killed.
    bool rotate_in_child(const std::function<void(const RotationStage&)>& when,
                         std::chrono::microseconds limit = {}) const {
        return killed_in_child(
            [&] {
                RotateOptions options;
                options.on_stage = when;
                rotate(options);
            },
            limit);
    }

    std::vector<std::string> texts;  // of the sets, in their order
};

Error error_of_rotation(const RotatingHost& host) {
    try {
        host.rotate();
    } catch (const Error& error) {
        return error;
    }
    FAIL("the rotation succeeded");
    throw 0;
}

void wait_a_second() {  // set ids are ordered by second
    ::usleep(1'010'000);
}

}  // namespace

TEST_CASE("rotation: a new subkey in escrow, every envelope for it, the old one expired") {
    RotatingHost host;
    const auto first = host.add_set("first");
    wait_a_second();
    const auto second = host.add_set("second");
    const std::string old = host.agent.subkey;
    CHECK(host.recipients(first) == std::vector{gpg::key_id_of(old)});

    const auto result = host.rotate();
    CHECK(result.retired == old);
    CHECK(result.number == 2);
    CHECK_FALSE(result.resumed);
    CHECK(result.rewrap.sets == 2);
    CHECK(result.rewrap.rewrapped == 2);
    CHECK(result.rewrap.bytes_written < 2000);
    CHECK(host.state.agent().subkey == result.subkey);
    CHECK_FALSE(host.state.keys().rotation);
    CHECK(host.state.keys().subkeys.front().retired);
    CHECK(is_escrowed(host.state, host.state.agent()));
    for (const auto& set : {first, second})
        CHECK(host.recipients(set) == std::vector{gpg::key_id_of(result.subkey)});
    host.require_all_open(result.subkey);

    wait_a_second();
    CHECK(host.recipients(host.add_set("third")) == std::vector{gpg::key_id_of(result.subkey)});
    ::usleep(1'100'000);  // until the old one has expired
    for (const auto& subkey :
         gpg::inspect_public_key(backupset::read_agent_key(*host.store(), host.agent.server)).subkeys)
        if (subkey.can_encrypt) CHECK(subkey.usable == (subkey.fingerprint == result.subkey));

    const auto again = host.rotate();
    CHECK(again.number == 3);
    CHECK(again.rewrap.rewrapped == 3);
    host.require_all_open(again.subkey);
}

TEST_CASE("rotation: SIGKILL at every stage, all opens meanwhile, backups go on, running it again ends it") {
    for (const std::string at :
         {"make", "made", "escrow", "wait", "switch", "rewrap", "rewrap half", "retire", "retired"}) {
        INFO("killed at " << at);
        RotatingHost host;
        host.add_set("one");
        wait_a_second();
        host.add_set("two");
        const std::string old = host.agent.subkey;
        REQUIRE(host.rotate_in_child([&](const RotationStage& stage) {
            const bool half = at == "rewrap half";
            if (stage.name == (half ? "rewrap" : at) && stage.done == (half ? 1 : 0)) ::raise(SIGKILL);
        }));
        REQUIRE(host.state.keys().rotation);
        host.require_all_open();
        wait_a_second();
        host.add_set("made after the crash");
        host.require_all_open();
        const auto result = host.rotate();
        CHECK(result.resumed);
        CHECK(result.number == 2);
        CHECK(result.retired == old);
        CHECK_FALSE(host.state.keys().rotation);
        host.require_all_open(result.subkey);
        // A subkey that a crash left was taken up: there is no third one.
        std::size_t subkeys = 0;
        for (const auto& one :
             gpg::find_key(gpg::Home::use(host.state.own_home()), host.agent.identity).subkeys)
            subkeys += one.can_encrypt ? 1 : 0;
        CHECK(subkeys == 2);
    }
}

TEST_CASE("rotation: SIGKILL at random moments, SEED repeats a run") {
    const char* given = std::getenv("SEED");
    const auto seed = given != nullptr ? std::stoul(given) : std::random_device{}();
    std::cout << "SEED=" << seed << "\n";
    INFO("SEED=" << seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    RotatingHost host;
    for (int i = 0; i < 12; ++i) host.add_set("set " + std::to_string(i)), wait_a_second();
    const auto start = std::chrono::steady_clock::now();
    host.rotate();
    const auto whole =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
    int killed = 0;
    for (int round = 0; round < 12; ++round) {
        const std::chrono::microseconds moment(1 + random() % (whole.count() * 5 / 4));
        killed += host.rotate_in_child({}, moment) ? 1 : 0;
        INFO("round " << round << ", after " << moment.count() << " us");
        host.require_all_open();
    }
    CHECK(killed > 0);
    host.require_all_open(host.rotate().subkey);
    CHECK_FALSE(host.state.keys().rotation);
}

TEST_CASE("rotation: the store goes away at any write, running it again ends it") {
    RotatingHost host;
    for (int i = 0; i < 3; ++i) host.add_set("set " + std::to_string(i)), wait_a_second();
    int failures = 0;
    for (int put = 1;; ++put) {
        const auto real = host.store();
        FaultyStore store(*real);
        store.fail_put = put;
        store.fail_all_after = true;
        store.store_anyway = put % 2 == 0;
        INFO("put " << put);
        bool failed = false;
        try {
            agent::rotate(host.state, store, host.clock, {});
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::storage);
            failed = true;
        }
        host.require_all_open();
        if (!failed) break;
        ++failures;
        CHECK(host.rotate().resumed);
    }
    CHECK(failures >= 6);
    host.require_all_open(host.state.agent().subkey);
}

TEST_CASE(
    "rotation: an envelope that is missing, cut, foreign or another set's is named and keeps the old key") {
    RotatingHost host;
    std::vector<std::string> sets;
    for (int i = 0; i < 4; ++i) sets.push_back(host.add_set("set " + std::to_string(i))), wait_a_second();
    const auto store = host.store();
    const std::string hurt = backupset::envelope_key(host.agent.server, sets[1]);
    const Bytes whole(store->get(hurt, backupset::max_envelope).view());
    std::string expected;
    SECTION("missing") {
        store->remove(hurt);
        expected = "envelope.gpg";
    }
    SECTION("cut") {
        store->put(hurt, BytesView(whole).substr(0, whole.size() / 2));
        expected = "OpenPGP message";
    }
    SECTION("of a key that nobody here has") {
        const gpg::TempHome other;
        const auto key = gpg::find_key(other.home(), gpg::generate_key(other.home(), "x@y", "ed25519"));
        store->put(hurt, gpg::encrypt(other.home(), {key.fingerprint}, "a passphrase\n"));
        expected = "decrypt";
    }
    SECTION("another set's") {
        store->put(hurt, store->get(backupset::envelope_key(host.agent.server, sets[2]), 1U << 16U).view());
        expected = "passphrase of set";
    }
    const Error error = error_of_rotation(host);
    INFO(error.text());
    CHECK(error.kind() == ErrorKind::corrupt);
    CHECK(
        (error.text().find(sets[1]) != std::string::npos || error.text().find(sets[2]) != std::string::npos));
    CHECK(error.text().find(expected) != std::string::npos);
    CHECK(error.text().find("not retired") != std::string::npos);
    REQUIRE(host.state.keys().rotation);
    CHECK_FALSE(host.state.keys().subkeys.front().retired);
    CHECK(host.recipients(sets[0]) == std::vector{gpg::key_id_of(host.state.agent().subkey)});
    CHECK(error_of_rotation(host).kind() == ErrorKind::corrupt);  // it does not go away by itself

    store->put(hurt, whole);
    CHECK(host.rotate().resumed);
    host.require_all_open(host.state.agent().subkey);
}

TEST_CASE("restore names the envelope that is another set's") {
    RotatingHost host;
    const auto one = host.add_set("one");
    wait_a_second();
    const auto two = host.add_set("two");
    const auto store = host.store();
    store->put(backupset::envelope_key(host.agent.server, one),
               store->get(backupset::envelope_key(host.agent.server, two), 1U << 16U).view());
    try {
        host.open(one);
        FAIL("was opened");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::corrupt);
        CHECK(error.text().find(one + "/envelope.gpg") != std::string::npos);
    }
}

TEST_CASE("rotation: a store that keeps other bytes gets the old envelope back") {
    RotatingHost host;
    const auto set = host.add_set("one");
    const auto real = host.store();
    struct Forgetful : FaultyStore {
        using FaultyStore::FaultyStore;
        bool once = true;
        void put(const std::string& key, BytesView bytes) override {
            const bool spoil = once && key.ends_with("envelope.gpg");
            if (spoil) once = false;
            FaultyStore::put(key, spoil ? bytes.substr(0, 10) : bytes);
        }
    } store(*real);
    CHECK_THROWS_AS(agent::rotate(host.state, store, host.clock, {}), Error);
    CHECK(host.recipients(set) == std::vector{gpg::key_id_of(host.agent.subkey)});
    host.require_all_open();
    CHECK(host.rotate().resumed);
}

TEST_CASE("rotation: one at a time, and it waits for a backup that runs") {
    RotatingHost host;
    host.add_set("one");
    {
        const auto lock = host.state.lock_rotation();
        CHECK(error_of_rotation(host).kind() == ErrorKind::busy);
    }
    std::stop_source stop;
    RotateOptions options;
    options.stop = stop.get_token();
    const auto backup = host.state.lock_backup();
    options.on_stage = [&](const RotationStage& stage) {
        if (stage.name == "wait") stop.request_stop();
    };
    CHECK_THROWS_AS(host.rotate(options), Error);
    CHECK(host.state.agent().subkey == host.agent.subkey);  // not switched under a backup
}
