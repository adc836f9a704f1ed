// What is deposited in escrow: by whom, for which keys, and once.
#include <catch2/catch.hpp>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/packets.hpp"
#include "tests/integration/dispatcher/api/api_room.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using strongroom::test::ApiRoom;
using strongroom::test::kind_of;

TEST_CASE("escrow: only the server's subkey, append-only, fetched as deposited, other pins are told") {
    ApiRoom room;
    const auto alice = room.add_user("alice");
    const auto agent = room.add_agent(*alice);
    const Bytes record("\x85\x00\xFF bytes\n", 10);
    proto::EscrowDeposit deposit{agent->subkey, to_base64(record), {alice->fingerprint}};
    CHECK(room.ask(*agent, deposit).sha256 == sha256_hex(record));
    CHECK(room.ask(*agent, deposit).sha256 == sha256_hex(record));  // again: the same record
    const auto fetched = room.ask(*alice, proto::EscrowFetch{agent->server});
    REQUIRE(fetched.records.size() == 1);
    CHECK(from_base64(fetched.records.front().record) == record);
    CHECK(fetched.identity == agent->fingerprint);
    CHECK(room.ask(*alice, proto::ServerShow{agent->server}).info.escrowed);

    CHECK(room.ask(*alice, proto::ServerShow{agent->server}).info.recovery ==
          std::vector<std::string>{alice->fingerprint});
    proto::EscrowDeposit repinned = deposit;
    repinned.recipients = {alice->fingerprint, std::string(40, 'E')};
    repinned.record = to_base64("another record");
    room.ask(*agent, repinned);
    CHECK(room.ask(*alice, proto::ServerShow{agent->server}).info.recovery == repinned.recipients);
    CHECK(room.ask(*alice, proto::EscrowFetch{agent->server}).records.size() == 1);  // the newest
    bool told = false;
    for (const auto& entry : room.ask(*alice, proto::AuditList{100}).entries)
        told = told || (entry.action == "recovery.change" &&
                        entry.text.find(std::string(40, 'E')) != std::string::npos);
    CHECK(told);
    proto::EscrowDeposit other_key = deposit;
    other_key.subkey = std::string(40, 'E');
    CHECK(kind_of([&] { room.ask(*agent, other_key); }) == ErrorKind::refused);
    bool audited = false;
    for (const auto& entry : room.ask(*alice, proto::AuditList{100}).entries)
        audited = audited || (entry.action == "escrow.deposit" && entry.text.find("refused") == 0);
    CHECK(audited);
}

TEST_CASE("escrow after a rotation: a new subkey counts only with the sender's own key that holds it") {
    ApiRoom room;
    const auto alice = room.add_user("alice");
    const auto agent = room.add_agent(*alice);
    const auto other = room.add_agent(*alice);
    const auto deposit = [&](const std::string& subkey, std::optional<std::string> key) {
        return proto::EscrowDeposit{
            subkey, to_base64("record of " + subkey), {alice->fingerprint}, std::move(key)};
    };
    const auto shown = [&] { return room.ask(*alice, proto::ServerShow{agent->server}); };
    room.ask(*agent, deposit(agent->subkey, {}));
    // Of two subkeys of one second, gpg takes either for the newest.
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    const std::string fresh = gpg::add_encryption_subkey(agent->home.home(), agent->fingerprint);
    const std::string key = gpg::export_public(agent->home.home(), agent->fingerprint);

    // Without the key, with another's key, with the key that does not hold it, as an older one beside a
    // newer.
    CHECK(kind_of([&] { room.ask(*agent, deposit(fresh, {})); }, "not the decryption subkey") ==
          ErrorKind::refused);
    CHECK_THROWS_AS(room.ask(*agent, deposit(other->subkey, other->public_key)), Error);
    CHECK(kind_of([&] { room.ask(*agent, deposit(fresh, agent->public_key)); }) == ErrorKind::refused);
    CHECK_THROWS_AS(room.ask(*other, deposit(fresh, key)), Error);
    CHECK_THROWS_AS(room.ask(*agent, deposit(fresh, "no key")), Error);
    CHECK(shown().info.subkey == agent->subkey);
    CHECK(shown().public_key == agent->public_key);

    CHECK(room.ask(*agent, deposit(fresh, key)).sha256 == sha256_hex("record of " + fresh));
    CHECK(shown().info.subkey == fresh);
    CHECK(shown().info.escrowed);
    CHECK(shown().public_key == key);
    CHECK(room.ask(*alice, proto::EscrowFetch{agent->server}).records.size() == 2);
    room.ask(*agent, deposit(agent->subkey, key));  // a new record of the old one: the new one stays in use
    CHECK(shown().info.subkey == fresh);

    // The next reply is for the new subkey, also after a restart that finds the peer's home.
    room.ask(*agent, proto::JobNext{"1"});
    CHECK(gpg::recipient_key_ids(room.last_answer.body) == std::vector{gpg::key_id_of(fresh)});
}
