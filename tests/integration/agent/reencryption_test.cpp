// Writing sets anew after a theft: what the stolen key opens afterwards, what a crash or a store that fails
// leaves, and that nothing is lost at any moment.
#include "agent/rotation/reencryption.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "agent/escrow/escrow.hpp"
#include "agent/verifiers/pins.hpp"
#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/opener.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/encoding.hpp"
#include "common/gpg/bulk_cipher.hpp"
#include "common/gpg/keys.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/streams.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace strongroom::test;

namespace {

struct RobbedHost : RegisteredHost {
    RobbedHost() {
        config.source = "command";
        config.segment_size = 64U << 10U;
        deposit_escrow(state, agent.subkey, *store(), nullptr, clock);
    }

    // A set of several segments, whose bytes are noise, so that they do not shrink.
    std::string add_set(int segments) {
        std::mt19937_64 random(texts.size() + 1);
        std::string text;
        while (text.size() < static_cast<std::size_t>(segments) * (64U << 10U) - 100) {
            const auto word = random();
            text.append(reinterpret_cast<const char*>(&word), sizeof word);
        }
        const auto file = folder.path() / "plain";
        std::ofstream(file, std::ios::binary) << text;
        config.source_command = {"/bin/cat", file.string()};
        texts.push_back(sha256_hex(text));
        ::usleep(1'010'000);  // set ids are ordered by second
        return back_up().set;
    }

    // The data passphrase of a set, as a thief with the key knows it.
    Secret passphrase_of(const std::string& set) const {
        const gpg::Home home = gpg::Home::use(state.own_home());
        return backupset::open_envelope(
            home, store()->get(backupset::envelope_key(agent.server, set), backupset::max_envelope).view());
    }

    ReencryptionResult reencrypt(ReencryptionOptions options = {}) const {
        const auto at = store();
        rotate_for_reencryption(state, *at, clock, {});
        return reencrypt_sets(state, {*at, *at}, clock, options);
    }

    // True if it was killed.
    bool reencrypt_in_child(std::chrono::microseconds limit) const {
        return killed_in_child([&] { reencrypt(); }, limit);
    }

    // Every text opens from some committed set. `once`: from exactly one.
    void require_all_open(bool once) const {
        std::vector<std::string> opened;
        for (const auto& set : listed()) opened.push_back(sha256_hex(open(set)));
        for (const auto& text : texts) {
            const auto number = std::ranges::count(opened, text);
            CHECK(number >= 1);
            if (once) CHECK(number == 1);
        }
    }

    std::vector<std::string> texts;  // SHA-256 of the plain streams
};

// Says that it stored a segment, and has other bytes.
struct LyingStore : FaultyStore {
    using FaultyStore::FaultyStore;
    void put(const std::string& key, BytesView bytes) override {
        Bytes other(bytes);
        if (key.find("/data/") != std::string::npos) other[other.size() / 2] ^= 1;
        FaultyStore::put(key, other);
    }
};

}  // namespace

TEST_CASE("re-encryption: no segment in the store opens with what the stolen key gave") {
    RobbedHost host;
    const auto first = host.add_set(3);
    const auto second = host.add_set(1);
    std::vector<std::string> stolen;
    for (const auto& set : {first, second}) stolen.emplace_back(host.passphrase_of(set).reveal());

    std::vector<std::string> committed;
    std::vector<std::string> removed;
    ReencryptionOptions options;
    options.on_committed = [&](const backupset::Manifest& manifest) { committed.push_back(manifest.set); };
    options.on_removed = [&](const std::string& set) { removed.push_back(set); };
    const auto result = host.reencrypt(options);
    CHECK(result.exposed == 2);
    CHECK(result.reencrypted == 2);
    CHECK(result.removed == 2);
    CHECK(result.left.empty());
    CHECK(result.failed.empty());
    CHECK(removed == std::vector{first, second});
    CHECK(committed == host.listed());
    host.require_all_open(true);
    CHECK_FALSE(host.state.keys().reencrypt);
    CHECK_FALSE(std::filesystem::exists(host.state.reencrypt_journal()));

    const gpg::Home home = gpg::Home::use(host.state.own_home());
    const gpg::BulkCipher cipher(home);
    const auto store = host.store();
    std::size_t tried = 0;
    for (const auto& object : store->list(backupset::sets_prefix(host.agent.server))) {
        if (object.key.find("/data/") == std::string::npos) continue;
        const MemFile stored = store->get(object.key, object.size);
        for (const auto& passphrase : stolen) {
            MemFile out("out");
            CHECK_THROWS_AS(cipher.decrypt(stored, Secret(std::string(passphrase)), 1U << 20U, out), Error);
            ++tried;
        }
    }
    CHECK(tried == 8);

    for (std::size_t i = 0; i < 2; ++i) {
        const auto manifest =
            backupset::read_manifest(*store, host.agent.server, committed[i], home, host.agent.identity);
        CHECK(manifest.replaces == removed[i]);
        CHECK(manifest.reencrypted.has_value());
        CHECK(committed[i].substr(0, 16) == removed[i].substr(0, 16));
    }

    // New sets are not exposed, and a second theft exposes all.
    host.add_set(1);
    CHECK(host.reencrypt().exposed == 3);
    host.require_all_open(true);
}

TEST_CASE("re-encryption: SIGKILL at random moments loses nothing, and it goes on in the middle of a set") {
    const char* given = std::getenv("SEED");
    const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    RobbedHost host;
    host.add_set(40);
    host.add_set(2);
    int killed = 0;
    bool finished = false;
    unsigned window = 900;  // milliseconds; a machine that was done before its first kill gets less time
    for (int i = 0; i < 12 && !finished; ++i) {
        if (host.reencrypt_in_child(std::chrono::milliseconds(20 + random() % window))) {
            ++killed;
            host.require_all_open(false);
        } else if (killed > 0) {
            finished = true;
        } else {
            window = window * 2 / 3;
        }
    }
    CHECK(killed > 0);
    if (!finished) {
        const auto result = host.reencrypt();
        CHECK(result.failed.empty());
    }
    host.require_all_open(true);
    CHECK(host.listed().size() == 2);
}

TEST_CASE("re-encryption: what was stored before a stop is not stored again, unless the store changed it") {
    RobbedHost host;
    host.add_set(12);
    const bool changed = GENERATE(false, true);
    CAPTURE(changed);

    std::stop_source stop;
    ReencryptionOptions options;
    options.workers = 1;
    options.stop = stop.get_token();
    options.on_stage = [&](const ReencryptStage& stage) {
        if (stage.progress.segments == 5) stop.request_stop();
    };
    REQUIRE_THROWS_AS(host.reencrypt(options), Error);
    const auto store = host.store();
    const auto folders = backupset::set_folders(*store, host.agent.server);
    REQUIRE(folders.size() == 2);
    REQUIRE(host.listed().size() == 1);
    const auto begun = folders[0] == host.listed()[0] ? folders[1] : folders[0];
    const auto first = backupset::segment_key(host.agent.server, begun, 0);
    if (changed)  // a passphrase that the store knows, for the key that it can see
        store->put(backupset::envelope_key(host.agent.server, begun),
                   backupset::make_envelope(gpg::Home::use(host.state.own_home()), host.state.agent().subkey,
                                            gpg::make_data_passphrase()));
    const auto before = sha256_hex(store->get(first, 1U << 20U).view());

    const auto result = host.reencrypt();
    CHECK(result.reencrypted == 1);
    CHECK(host.state.keys().current().number == 2);  // the rotation was not done again
    host.require_all_open(true);
    const auto fresh = host.listed()[0];
    CHECK((fresh == begun) == !changed);
    if (!changed) CHECK(sha256_hex(store->get(first, 1U << 20U).view()) == before);
}

TEST_CASE("re-encryption: a damaged set stays, is named, and the others are written anew") {
    RobbedHost host;
    const auto damaged = host.add_set(2);
    host.add_set(1);
    const auto store = host.store();
    const auto key = backupset::segment_key(host.agent.server, damaged, 1);
    Bytes bytes(store->get(key, 1U << 20U).view());
    bytes[bytes.size() / 2] ^= 1;
    store->put(key, bytes);

    const auto result = host.reencrypt();
    REQUIRE(result.failed.size() == 1);
    CHECK(result.failed[0].set == damaged);
    CHECK(result.failed[0].why.find("segment 1") != std::string::npos);
    CHECK(result.reencrypted == 1);
    CHECK(host.state.keys().reencrypt.has_value());
    CHECK(std::ranges::count(host.listed(), damaged) == 1);

    // Repaired, it goes on; the set that is done already is not touched.
    bytes[bytes.size() / 2] ^= 1;
    store->put(key, bytes);
    const auto second = host.reencrypt();
    CHECK(second.exposed == 1);
    CHECK(second.reencrypted == 1);
    CHECK(host.state.keys().current().number == 2);
    host.require_all_open(true);
}

TEST_CASE("re-encryption: a new set that does not read back is not committed, and the old one stays") {
    RobbedHost host;
    const auto old = host.add_set(2);
    rotate_for_reencryption(host.state, *host.store(), host.clock, {});
    const auto inner = host.store();
    LyingStore lying(*inner);
    const auto result = reencrypt_sets(host.state, {lying, lying}, host.clock, {});
    REQUIRE(result.failed.size() == 1);
    CHECK(result.removed == 0);
    CHECK(host.listed() == std::vector{old});
    const auto second = host.reencrypt();
    CHECK(second.reencrypted == 1);
    host.require_all_open(true);
}

TEST_CASE("re-encryption: a verifying host that was let go gets no envelope, one that is pinned does") {
    RobbedHost host;
    const RegisteredHost kept;
    const RegisteredHost gone;
    const auto pin = [&](const RegisteredHost& verifier) {
        const auto file = host.folder.path() / "verifier.asc";
        std::ofstream(file) << gpg::export_public(gpg::Home::use(verifier.state.own_home()),
                                                  verifier.agent.identity);
        pin_verifier(host.state, file, verifier.agent.identity, host.clock);
    };
    pin(kept);
    pin(gone);
    const auto old = host.add_set(3);
    const auto verifiers_of = [&](const std::string& set) {
        auto out =
            backupset::verifiers_among(host.store()->list(backupset::set_prefix(host.agent.server, set)));
        std::ranges::sort(out);
        return out;
    };
    std::vector both{kept.agent.identity, gone.agent.identity};
    std::ranges::sort(both);
    CHECK(verifiers_of(old) == both);

    // It is stopped within the set, and the second one is let go before it goes on.
    std::stop_source stop;
    std::string begun;
    ReencryptionOptions options;
    options.stop = stop.get_token();
    options.on_stage = [&](const ReencryptStage& stage) {
        if (stage.progress.segments > 0) stop.request_stop();
    };
    CHECK(error_of([&] { host.reencrypt(options); }).kind() == ErrorKind::interrupted);
    for (const auto& set : backupset::set_folders(*host.store(), host.agent.server))
        if (set != old) begun = set;
    REQUIRE_FALSE(begun.empty());
    CHECK(verifiers_of(begun) == both);
    unpin_verifier(host.state, gone.agent.identity);
    CHECK(host.reencrypt().reencrypted == 1);
    const auto listed = host.listed();
    REQUIRE(listed.size() == 1);
    CHECK(verifiers_of(listed.front()) == std::vector{kept.agent.identity});
    CHECK(backupset::set_folders(*host.store(), host.agent.server) == listed);
    const auto envelope =
        host.store()->get(backupset::envelope_key_for(kept.agent.identity, host.agent.server, listed.front()),
                          backupset::max_envelope);
    CHECK(backupset::open_envelope(gpg::Home::use(kept.state.own_home()), envelope.view()).reveal() ==
          host.passphrase_of(listed.front()).reveal());
    host.require_all_open(true);
    gpg::Home::use(host.state.verifier_home()).stop_daemons();
}
