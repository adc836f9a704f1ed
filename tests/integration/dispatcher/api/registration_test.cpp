// Registration of a server with a code that its user made.
#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "proto/registration_code.hpp"
#include "tests/integration/dispatcher/api/api_room.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using strongroom::test::ApiRoom;
using strongroom::test::kind_of;
using strongroom::test::Peer;

namespace {

proto::Register registration(const Peer& agent, const std::string& uuid, const std::string& code,
                             const Peer& recovery) {
    return {uuid, "test.invalid",         "host", "1", agent.public_key, agent.subkey, {recovery.fingerprint},
            code, sha256_hex(agent.token)};
}

std::string gate_of(const std::string& code) {
    return "Registration " + proto::registration_code_hash(code);
}

std::string announced_code(ApiRoom& room, const Peer& user, const std::string& label) {
    const std::string code = proto::make_registration_code();
    room.ask(user, proto::RegistrationCreate{label, proto::registration_code_hash(code)});
    return code;
}

}  // namespace

TEST_CASE("registration: a code works once, for one server, and is repeated safely") {
    ApiRoom room;
    const auto alice = room.add_user("alice");
    const std::string uuid = random_uuid();
    const auto agent = room.make_peer(uuid + "@test.invalid");
    const std::string code = announced_code(room, *alice, "host");
    CHECK(code.size() == 23);

    // What is refused before, and uses nothing up.
    const auto impostor = room.make_peer("someone@else.invalid");
    CHECK(kind_of(
              [&] {
                  room.send(*impostor,
                            room.request(*impostor, "register",
                                         to_json(registration(*impostor, uuid, code, *alice))),
                            gate_of(code));
              },
              "user id") == ErrorKind::unauthenticated);
    CHECK(kind_of([&] {
              room.send(*agent, room.request(*agent, "job.next", {{"version", "1"}}), gate_of(code));
          }) == ErrorKind::unauthenticated);
    proto::Register wrong = registration(*agent, uuid, code, *alice);
    wrong.subkey = alice->subkey;
    CHECK(kind_of([&] { room.send(*agent, room.request(*agent, "register", to_json(wrong)), gate_of(code)); },
                  "subkey") == ErrorKind::protocol);
    wrong = registration(*agent, uuid, "AAAAA-AAAAA-AAAAA-AAAAA", *alice);
    CHECK(kind_of([&] {
              room.send(*agent, room.request(*agent, "register", to_json(wrong)), gate_of(code));
          }) == ErrorKind::unauthenticated);
    CHECK(kind_of([&] { room.api().admit("Registration " + sha256_hex("nothing")); }) ==
          ErrorKind::unauthenticated);

    const auto message = room.request(*agent, "register", to_json(registration(*agent, uuid, code, *alice)));
    const auto reply = from_json<proto::Register::Reply>(room.send(*agent, message, gate_of(code)));
    CHECK(reply.owner == alice->fingerprint);
    CHECK(reply.owner_name == "alice");
    CHECK(room.woken == std::vector<std::string>{uuid});
    const Bytes first = room.last_reply.json;
    room.send(*agent, message, gate_of(code));  // its reply was lost
    CHECK(room.last_reply.json == first);

    // The agent's token works, and the first job is the escrow of its key.
    const auto next = room.ask(*agent, proto::JobNext{"1"});
    REQUIRE(next.job);
    CHECK(next.job->kind == "escrow");

    const auto second = room.make_peer(random_uuid() + "@test.invalid");
    const std::string other_uuid = gpg::inspect_public_key(second->public_key).user_id.substr(0, 36);
    CHECK(kind_of(
              [&] {
                  room.send(*second,
                            room.request(*second, "register",
                                         to_json(registration(*second, other_uuid, code, *alice))),
                            gate_of(code));
              },
              "used already") == ErrorKind::refused);
    // A UUID cannot be registered again (S17), and the new code is not used up by the attempt.
    const std::string fresh = announced_code(room, *alice, "host");
    const auto thief = room.make_peer(uuid + "@test.invalid");
    CHECK(kind_of([&] {
              room.send(*thief,
                        room.request(*thief, "register", to_json(registration(*thief, uuid, fresh, *alice))),
                        gate_of(fresh));
          }) == ErrorKind::exists);
    room.store().read([&](Transaction& tx) {
        CHECK(tx.find_code(proto::registration_code_hash(fresh))->used == 0);
        CHECK(tx.find_server(uuid)->identity == agent->fingerprint);
    });
    room.clock.advance(std::chrono::hours(24));
    CHECK(kind_of([&] { room.api().admit(gate_of(fresh)); }) == ErrorKind::unauthenticated);
}

TEST_CASE("no registration code stands in the database, neither before nor after its use") {
    ApiRoom room;
    const auto alice = room.add_user("alice");
    const std::string code = announced_code(room, *alice, "label-of-the-code");
    CHECK(kind_of([&] {  // nor can the same code be announced twice
              room.ask(*alice, proto::RegistrationCreate{"again", proto::registration_code_hash(code)});
          }) == ErrorKind::exists);
    const std::string uuid = random_uuid();
    const auto agent = room.make_peer(uuid + "@test.invalid");
    room.send(*agent, room.request(*agent, "register", to_json(registration(*agent, uuid, code, *alice))),
              gate_of(code));
    std::string bytes;
    for (const char* suffix : {"", "-wal"}) bytes += read_file(room.database().string() + suffix, 16U << 20U);
    CHECK(bytes.find("label-of-the-code") != std::string::npos);  // the search finds what is there
    CHECK(bytes.find(code) == std::string::npos);
    CHECK(bytes.find(proto::normalised_registration_code(code)) == std::string::npos);
    CHECK(bytes.find(to_base64(code).substr(0, 20)) == std::string::npos);
}
