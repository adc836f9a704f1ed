#include "client/recovery/recover.hpp"

#include <catch2/catch.hpp>

#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "tests/integration/client/restore/escrowed_server.hpp"

using namespace strongroom;
using namespace strongroom::test;
using Catch::Matchers::Contains;

TEST_CASE_METHOD(EscrowedServer, "an escrow record becomes a private home with the decryption subkey alone") {
    const auto recovered = recover("home");
    CHECK(recovered.identity == identity());
    REQUIRE(recovered.subkeys.size() == 1);
    const auto home = gpg::Home::use(folder() / "home");
    const auto key = gpg::find_key(home, identity(), true);
    CHECK_FALSE(key.subkeys.at(0).secret);  // the identity key never leaves its host
    const auto again = client::open_recovered_home(folder() / "home", server());
    CHECK(again.subkeys == recovered.subkeys);
    CHECK((std::filesystem::status(folder() / "home").permissions() & std::filesystem::perms(077)) ==
          std::filesystem::perms::none);
    home.stop_daemons();
}

TEST_CASE_METHOD(EscrowedServer, "recovery refuses, says why, and leaves nothing behind") {
    const auto before = names();
    const auto escrow = client::escrow_from_store(store(), server());
    const auto into = folder() / "home";

    SECTION("another identity than the one that is trusted") {
        const auto refused =
            refusal_of([&] { client::recover(escrow, std::string(40, 'A'), user_home(), into); });
        CHECK(refused.kind == "refused");
        CHECK_THAT(refused.text, Contains(server()) && Contains("not the identity key that you trust"));
        CHECK_THAT(refused.hint, Contains("--identity"));
    }
    SECTION("the key of somebody else") {
        gpg::TempHome stranger;
        gpg::generate_key(stranger.home(), "stranger@test", "ed25519");
        const auto refused = refusal_of([&] { client::recover(escrow, identity(), stranger.home(), into); });
        CHECK(refused.kind == "crypto");
        CHECK_THAT(refused.text, Contains("no escrow record of server " + server()));
        CHECK_THAT(refused.hint, Contains("recovery key"));
    }
    SECTION("a record that is signed by another server") {
        EscrowedServer other;
        auto forged = escrow;
        forged.records = client::escrow_from_store(other.store(), other.server()).records;
        const auto refused =
            refusal_of([&] { client::recover(forged, identity(), other.user_home(), into); });
        CHECK_THAT(refused.text, Contains("could be opened"));
    }
    SECTION("a damaged record") {
        auto damaged = escrow;
        auto& record = damaged.records.front().record;
        record[record.size() - 10] = static_cast<char>(record[record.size() - 10] ^ 1);
        CHECK(refusal_of([&] { client::recover(damaged, identity(), user_home(), into); }).kind == "crypto");
    }
    SECTION("a store without this server, and a server without a record") {
        const auto missing = refusal_of([&] { client::escrow_from_store(store(), random_uuid()); });
        CHECK(missing.kind == "not_found");
        auto empty = escrow;
        empty.records.clear();
        const auto refused = refusal_of([&] { client::recover(empty, identity(), user_home(), into); });
        CHECK(refused.kind == "not_found");
        CHECK_THAT(refused.hint, Contains("strongroom-agent escrow"));
    }
    CHECK(names() == before);
}

TEST_CASE_METHOD(EscrowedServer, "a folder that is in use is never touched") {
    std::filesystem::create_directory(folder() / "used");
    write_file_atomic(folder() / "used" / "mine", "precious");
    const auto refused = refusal_of([&] { recover("used"); });
    CHECK(refused.kind == "exists");
    CHECK(read_file(folder() / "used" / "mine", 100) == "precious");
    std::filesystem::create_directory(folder() / "empty");
    CHECK_NOTHROW(recover("empty"));
    CHECK(refusal_of([&] { recover("empty"); }).kind == "exists");
    gpg::Home::use(folder() / "empty").stop_daemons();
}

TEST_CASE_METHOD(EscrowedServer, "a home of another server, or no such home, is refused") {
    recover("home");
    const auto wrong = refusal_of([&] { client::open_recovered_home(folder() / "home", random_uuid()); });
    CHECK(wrong.kind == "refused");
    CHECK_THAT(wrong.text, Contains(server()));
    const auto none = refusal_of([&] { client::open_recovered_home(folder(), server()); });
    CHECK(none.kind == "not_found");
    CHECK_THAT(none.hint, Contains("strongroom recover"));
}
