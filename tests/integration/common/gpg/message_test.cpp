#include "common/gpg/message.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/exported_subkey.hpp"
#include "common/gpg/keys.hpp"

using namespace strongroom;
using Catch::Matchers::Contains;

namespace {

// Two peers, each with its own home, and each other's public key in a home of its own.
struct Peers {
    Peers() {
        gpg::initialise();
        alice = gpg::generate_key(alice_own.home(), "alice <alice@test.invalid>", "ed25519");
        bob = gpg::generate_key(bob_own.home(), "bob <bob@test.invalid>", "ed25519");
        gpg::import_public_key(bob_as_peer.home(), gpg::export_public(bob_own.home(), bob), bob);
        gpg::import_public_key(alice_as_peer.home(), gpg::export_public(alice_own.home(), alice), alice);
    }
    gpg::TempHome alice_own, bob_own, alice_as_peer, bob_as_peer;
    std::string alice, bob;
};

}  // namespace

TEST_CASE("a message is signed in one home, encrypted in another, and opened the same way") {
    const Peers p;
    const Bytes sealed =
        gpg::encrypt_signed(p.bob_as_peer.home(), {p.bob}, gpg::sign(p.alice_own.home(), p.alice, "hello"));
    const Bytes inner = gpg::decrypt_signed(p.bob_own.home(), sealed, 10'000);
    CHECK(gpg::read_unverified(inner, 100) == "hello");
    const auto verified = gpg::verify(p.alice_as_peer.home(), p.alice, inner, 100);
    CHECK(verified.payload == "hello");
    CHECK(verified.signer == p.alice);

    SECTION("another signer is refused") {
        CHECK_THROWS_WITH(gpg::verify(p.bob_as_peer.home(), p.bob, inner, 100),
                          Contains("signed by another key"));
    }
    SECTION("a payload over the cap is refused") {
        CHECK_THROWS_WITH(gpg::verify(p.alice_as_peer.home(), p.alice, inner, 4), Contains("size limit"));
        CHECK_THROWS_WITH(gpg::decrypt_signed(p.bob_own.home(), sealed, 10), Contains("size limit"));
    }
    SECTION("a flipped byte anywhere is refused") {
        for (std::size_t i = 0; i < sealed.size(); i += 7) {
            Bytes damaged = sealed;
            damaged[i] = static_cast<char>(damaged[i] ^ 0x20);
            CAPTURE(i);
            CHECK_THROWS_AS(gpg::verify(p.alice_as_peer.home(), p.alice,
                                        gpg::decrypt_signed(p.bob_own.home(), damaged, 10'000), 100),
                            Error);
        }
    }
    SECTION("the wrong receiver cannot open it") {
        CHECK_THROWS_AS(gpg::decrypt_signed(p.alice_own.home(), sealed, 10'000), Error);
    }
    SECTION("an encrypted message without a signature is refused") {
        const Bytes unsigned_message = gpg::encrypt(p.bob_as_peer.home(), {p.bob}, "hello");
        const Bytes opened = gpg::decrypt_signed(p.bob_own.home(), unsigned_message, 10'000);
        CHECK_THROWS_WITH(gpg::verify(p.alice_as_peer.home(), p.alice, opened, 100), Contains("not signed"));
    }
}

TEST_CASE("detached signatures cover every byte") {
    const Peers p;
    const Bytes signature = gpg::sign_detached(p.alice_own.home(), p.alice, "manifest");
    CHECK(gpg::verify_detached(p.alice_as_peer.home(), p.alice, signature, "manifest").signer == p.alice);
    CHECK_THROWS_AS(gpg::verify_detached(p.alice_as_peer.home(), p.alice, signature, "manifesT"), Error);
    CHECK_THROWS_AS(gpg::verify_detached(p.bob_as_peer.home(), p.bob, signature, "manifest"), Error);
    CHECK_THROWS_AS(gpg::verify_detached(p.alice_as_peer.home(), p.alice, "", "manifest"), Error);
}

TEST_CASE("only the decryption subkey is exported, and it opens what was encrypted to it") {
    const Peers p;
    const auto key = gpg::find_key(p.alice_own.home(), p.alice, true);
    REQUIRE(key.encryption_subkey() != nullptr);
    const Secret exported =
        gpg::export_secret_subkey(p.alice_own.home(), key.encryption_subkey()->fingerprint);

    const gpg::TempHome recovered;
    CHECK(gpg::import_secret_key(recovered.home(), exported) == p.alice);
    const Bytes envelope = gpg::encrypt(p.alice_as_peer.home(), {p.alice}, "passphrase\n");
    CHECK(gpg::decrypt(recovered.home(), envelope, 1000).reveal() == "passphrase\n");
    CHECK_THROWS_AS(gpg::sign(recovered.home(), p.alice, "forged"),
                    Error);  // the identity secret did not leave
}

TEST_CASE("an export is known for what it holds without importing it") {
    const Peers p;
    const auto subkey_of = [](const gpg::Home& home, const std::string& key) {
        return gpg::find_key(home, key, true).encryption_subkey()->fingerprint;
    };
    const std::string subkey = subkey_of(p.alice_own.home(), p.alice);
    const Secret exported = gpg::export_secret_subkey(p.alice_own.home(), subkey);
    CHECK_NOTHROW(gpg::require_only_secret_subkey(exported, p.alice, subkey));
    CHECK_THROWS_WITH(gpg::require_only_secret_subkey(exported, p.bob, subkey), Contains("another key"));
    CHECK_THROWS_WITH(gpg::require_only_secret_subkey(exported, p.alice, p.alice), Contains("another key"));

    const auto export_with_gpg = [&](const std::string& command, const std::string& key) {
        SpawnOptions spawn;
        spawn.argv = {"gpg", "--homedir", p.alice_own.home().path().string(), "--batch", command, key};
        RunResult result = run_program(spawn);
        REQUIRE(result.status.ok());
        return Secret(std::move(result.out));
    };
    CHECK_THROWS_WITH(
        gpg::require_only_secret_subkey(export_with_gpg("--export-secret-keys", p.alice), p.alice, subkey),
        Contains("identity key"));
    CHECK_THROWS_WITH(gpg::require_only_secret_subkey(export_with_gpg("--export", p.alice), p.alice, subkey),
                      Contains("instead of one of each"));
    CHECK_THROWS_AS(gpg::require_only_secret_subkey(Secret("nonsense"), p.alice, subkey), Error);
    CHECK_THROWS_AS(gpg::require_only_secret_subkey(Secret(""), p.alice, subkey), Error);
}

TEST_CASE("a foreign key is taken only if it is exactly one usable public key") {
    const Peers p;
    const std::string alice_key = gpg::export_public(p.alice_own.home(), p.alice);
    const std::string bob_key = gpg::export_public(p.bob_own.home(), p.bob);
    CHECK(gpg::inspect_public_key(alice_key).fingerprint == p.alice);
    CHECK_THROWS_WITH(gpg::inspect_public_key(alice_key, p.bob), Contains("expected was"));
    CHECK_THROWS_WITH(gpg::inspect_public_key(alice_key + bob_key), Contains("exactly one"));
    CHECK_THROWS_AS(gpg::inspect_public_key("nonsense"), Error);
    CHECK_THROWS_AS(gpg::inspect_public_key(""), Error);
    CHECK_THROWS_WITH(gpg::inspect_public_key(std::string(gpg::max_public_key + 1, 'x')), Contains("limit"));
    const auto subkey = gpg::find_key(p.alice_own.home(), p.alice, true).encryption_subkey()->fingerprint;
    CHECK_THROWS_WITH(gpg::inspect_public_key(gpg::export_secret_subkey(p.alice_own.home(), subkey).reveal()),
                      Contains("secret key material"));
    // Refused by shape, before gpg sees it.
    const auto end = alice_key.find("-----END");
    CHECK_THROWS_WITH(gpg::inspect_public_key("hello\n" + alice_key), Contains("not an OpenPGP public key"));
    CHECK_THROWS_WITH(gpg::inspect_public_key(alice_key + "hello\n"), Contains("more than a public key"));
    CHECK_THROWS_WITH(gpg::inspect_public_key(alice_key.substr(0, end)), Contains("cut off"));
    std::string damaged = alice_key;
    damaged[damaged.find("\n\n") + 20] = damaged[damaged.find("\n\n") + 20] == 'A' ? 'B' : 'A';
    CHECK_THROWS_WITH(gpg::inspect_public_key(damaged), Contains("checksum"));
    CHECK_THROWS_WITH(gpg::inspect_public_key("\xB4\x01x"), Contains("holds 0"));
    CHECK(gpg::inspect_public_key("\r\n" + alice_key + "\n \n").fingerprint == p.alice);
}

TEST_CASE("an expired key is taken from nobody, and nothing is encrypted to one") {
    gpg::initialise();
    const gpg::TempHome home;
    const auto in_2020 = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(),
                         {"gpg", "--homedir", home.home().path().string(), "--batch", "--quiet",
                          "--passphrase", "", "--faked-system-time", "20200101T000000!"});
        const auto result = run_program({.argv = arguments, .fds = {}, .environment = {}, .directory = {}});
        REQUIRE(result.status.ok());
    };
    in_2020({"--quick-generate-key", "old <old@test.invalid>", "ed25519", "cert,sign", "1d"});
    const std::string old = gpg::list_keys(home.home()).at(0).fingerprint;
    in_2020({"--quick-add-key", old, "cv25519", "encr", "1d"});
    CHECK_THROWS_WITH(gpg::inspect_public_key(gpg::export_public(home.home(), old)), Contains("expired"));
    CHECK_THROWS_AS(gpg::encrypt(home.home(), {old}, "x"), Error);
    CHECK_THROWS_AS(gpg::sign(home.home(), old, "x"), Error);
}
