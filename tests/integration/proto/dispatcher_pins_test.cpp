// The dispatcher's pinned keys: which chain of statements is followed, and which is not (S6).
#include "proto/dispatcher_pins.hpp"

#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/keys.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

// A dispatcher with five keys, of which nobody knows more than the first; and an agent's folder.
struct Dispatcher {
    Dispatcher() {
        gpg::initialise();
        for (int i = 0; i < 5; ++i)
            keys.push_back(gpg::generate_key(home.home(), "k" + std::to_string(i) + "@x.invalid", "ed25519"));
        proto::PinnedKeys begin;
        begin.root = {keys[0], public_key(0)};
        write_file_atomic(file(), to_json(begin).dump());
    }
    std::string public_key(int key) const {
        return gpg::export_public(home.home(), keys.at(static_cast<std::size_t>(key)));
    }
    proto::KeyStatement content(int from, int to, int sequence) const {
        proto::KeyStatement out;
        out.sequence = sequence;
        out.current = keys.at(static_cast<std::size_t>(from));
        out.next = keys.at(static_cast<std::size_t>(to));
        out.public_key = public_key(to);
        out.made = 1;
        return out;
    }
    std::string sign(int signer, const proto::KeyStatement& statement) const {
        return to_base64(
            proto::sign_statement(home.home(), keys.at(static_cast<std::size_t>(signer)), statement));
    }
    // Statement number `to`: key to-1 says that key `to` follows.
    std::string link(int to) const { return sign(to - 1, content(to - 1, to, to)); }
    fs::path file() const { return folder.path() / "keys.json"; }
    proto::DispatcherPins pins() const { return {file(), folder.path() / "h"}; }

    gpg::TempHome home;
    std::vector<std::string> keys;
    TempDir folder;
};

// Runs gpg in the dispatcher's home; returns the fingerprint of the key with this user id.
std::string gpg_makes(const gpg::Home& home, std::vector<std::string> arguments, const std::string& user_id) {
    std::vector<std::string> argv{gpg::engine_path().string(),
                                  "--homedir",
                                  home.path().string(),
                                  "--batch",
                                  "--quiet",
                                  "--passphrase",
                                  ""};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    REQUIRE(run_program({.argv = argv, .fds = {}, .environment = {}, .directory = {}}).status.ok());
    for (const auto& key : gpg::list_keys(home))
        if (key.user_id == user_id) return key.fingerprint;
    FAIL("no key " + user_id);
    return {};
}

}  // namespace

TEST_CASE("the next key is accepted besides the current one, and alone once it was seen at work") {
    const Dispatcher dispatcher;
    const auto& keys = dispatcher.keys;
    auto pins = dispatcher.pins();
    CHECK(pins.current().fingerprint == keys[0]);
    CHECK(pins.next() == nullptr);
    CHECK(pins.from() == keys[0]);
    CHECK_FALSE(pins.follow({}));

    REQUIRE(pins.follow({dispatcher.link(1)}));
    CHECK_FALSE(pins.follow({dispatcher.link(1)}));  // signed anew, and says the same
    auto again = dispatcher.pins();                  // what was pinned is kept
    for (auto* each : {&pins, &again}) {
        CHECK(each->current().fingerprint == keys[0]);
        REQUIRE(each->next() != nullptr);
        CHECK(each->next()->fingerprint == keys[1]);
        CHECK(each->newest() == keys[1]);
        CHECK(each->accepted(keys[0]) != nullptr);
        CHECK(each->accepted(keys[1]) != nullptr);
        CHECK(each->accepted(keys[2]) == nullptr);
    }
    pins.at_work(keys[0]);
    CHECK(pins.accepted(keys[0]) != nullptr);
    pins.at_work(keys[1]);
    CHECK(pins.accepted(keys[0]) == nullptr);
    CHECK(dispatcher.pins().accepted(keys[0]) == nullptr);
    CHECK(dispatcher.pins().current().fingerprint == keys[1]);
    CHECK(pins.contains(keys[0]));

    // `again` still holds what it read: it takes what the other one wrote, and goes on from there.
    REQUIRE(again.follow({dispatcher.link(1), dispatcher.link(2)}));
    CHECK(again.current().fingerprint == keys[1]);
    CHECK(again.newest() == keys[2]);
    CHECK(again.accepted(keys[0]) == nullptr);
}

TEST_CASE("who was away for several changes follows the chain: one answer need not hold all of it") {
    const Dispatcher dispatcher;
    const auto& keys = dispatcher.keys;
    auto pins = dispatcher.pins();
    REQUIRE(pins.follow({dispatcher.link(1), dispatcher.link(2)}));
    CHECK(pins.current().fingerprint == keys[1]);
    CHECK(pins.newest() == keys[2]);
    CHECK(pins.from() == keys[1]);
    REQUIRE(pins.follow({dispatcher.link(2), dispatcher.link(3), dispatcher.link(4)}));
    CHECK(pins.current().fingerprint == keys[3]);
    CHECK(pins.newest() == keys[4]);

    // A program that was built for a later key begins with that one.
    proto::PinnedKeys later;
    later.root = {keys[2], dispatcher.public_key(2)};
    write_file_atomic(dispatcher.file(), to_json(later).dump());
    auto built_later = dispatcher.pins();
    REQUIRE(built_later.follow({dispatcher.link(3)}));
    CHECK(built_later.newest() == keys[3]);
}

TEST_CASE("a chain that does not hold is refused, and nothing of it is kept") {
    const Dispatcher dispatcher;
    const auto& keys = dispatcher.keys;
    const gpg::Home& home = dispatcher.home.home();
    auto pins = dispatcher.pins();
    const auto refuse = [&](const char* what, const std::vector<std::string>& statements, const char* why) {
        CAPTURE(what);
        const Bytes before = read_file(dispatcher.file(), 1U << 20U);
        const Error error = test::error_of([&] { pins.follow(statements); });
        CHECK(name(error.kind()) == "refused");
        CHECK_THAT(error.text(), Contains(why));
        CHECK(read_file(dispatcher.file(), 1U << 20U) == before);
    };
    refuse("nobody vouches", {dispatcher.sign(1, dispatcher.content(0, 1, 1))}, "signed by another key");
    refuse("speaks for itself", {dispatcher.sign(1, dispatcher.content(1, 2, 1))}, "signed by another key");
    refuse("for another than its signer", {dispatcher.sign(0, dispatcher.content(3, 1, 1))}, "another key");
    refuse("a gap", {dispatcher.link(2)}, "signed by another key");
    refuse("a gap later", {dispatcher.link(1), dispatcher.link(3)}, "signed by another key");
    refuse("a number left out", {dispatcher.link(1), dispatcher.sign(1, dispatcher.content(1, 2, 3))},
           "number is 3 after 1");
    refuse("a key again", {dispatcher.link(1), dispatcher.sign(1, dispatcher.content(1, 0, 2))},
           "had before");
    refuse("the same key", {dispatcher.sign(0, dispatcher.content(0, 0, 1))}, "had before");
    refuse("no statement", {to_base64("hello")}, "not a binary OpenPGP message");
    refuse("no base64", {"%%%"}, "base64");

    auto replaced = dispatcher.content(0, 1, 1);
    replaced.public_key = dispatcher.public_key(2);
    refuse("another key under its name", {dispatcher.sign(0, replaced)}, keys[2].substr(0, 4).c_str());
    auto secret = dispatcher.content(0, 1, 1);
    secret.public_key = std::string(gpg::export_secret_key(home, keys[1]).reveal());
    refuse("with secrets", {dispatcher.sign(0, secret)}, "secret");
    auto two = dispatcher.content(0, 1, 1);
    two.public_key += dispatcher.public_key(2);
    refuse("two keys", {dispatcher.sign(0, two)}, "");
    auto unfit = dispatcher.content(0, 1, 1);
    unfit.next = gpg_makes(home, {"--quick-generate-key", "signs@x.invalid", "ed25519", "sign", "never"},
                           "signs@x.invalid");
    unfit.public_key = gpg::export_public(home, unfit.next);
    refuse("without encryption", {dispatcher.sign(0, unfit)}, "encryption");
    unfit.next = gpg_makes(home,
                           {"--faked-system-time", "20200101T000000!", "--quick-generate-key",
                            "old@x.invalid", "rsa2048", "sign,cert,encr", "1y"},
                           "old@x.invalid");
    unfit.public_key = gpg::export_public(home, unfit.next);
    refuse("expired", {dispatcher.sign(0, unfit)}, "expired");

    REQUIRE(pins.follow({dispatcher.link(1)}));
    refuse("a rollback", {}, "a rollback");
    refuse("a fork", {dispatcher.sign(0, dispatcher.content(0, 2, 1))}, "a fork");
    refuse("a fork that goes on", {dispatcher.sign(0, dispatcher.content(0, 2, 1)), dispatcher.link(3)},
           "a fork");
    refuse("another start", {dispatcher.link(2)}, "a fork");
    CHECK(dispatcher.pins().newest() == keys[1]);
}

TEST_CASE("a chain file that is damaged or open to others is not read") {
    const Dispatcher dispatcher;
    fs::permissions(dispatcher.file(), fs::perms::owner_all | fs::perms::others_read);
    CHECK(name(test::error_of([&] { dispatcher.pins(); }).kind()) == "insecure_file");
    write_file_atomic(dispatcher.file(), "{}");
    CHECK(name(test::error_of([&] { dispatcher.pins(); }).kind()) == "corrupt");
}
