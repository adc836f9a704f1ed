// Every file in tests/vectors/sealed is opened by the rules of PROTOCOL.md section 3.
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/gpg/keys.hpp"
#include "proto/messages.hpp"
#include "proto/sealed.hpp"
#include "tests/support/fake_clock.hpp"

using namespace strongroom;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

const fs::path vectors = fs::path(STRONGROOM_SOURCE_DIR) / "tests/vectors";

struct Expected {
    ErrorKind kind;
    std::string text;
};

// File name -> the refusal. "ok" and "replayed-id" open; the latter is refused by its id, see below.
const std::map<std::string, Expected> refusals{
    {"unsigned", {ErrorKind::unauthenticated, "not signed"}},
    {"wrong-signer", {ErrorKind::unauthenticated, "signed by another key"}},
    {"two-signatures", {ErrorKind::unauthenticated, "more than one signature"}},
    {"wrong-recipient", {ErrorKind::unauthenticated, "cannot decrypt"}},
    {"misdirected", {ErrorKind::protocol, "not for"}},
    {"from-is-not-signer", {ErrorKind::unauthenticated, "but it was signed by"}},
    {"stale",
     {ErrorKind::protocol, "the message's time is 2026-11-22T01:26:00Z, here it is 2026-11-22T01:37:00Z"}},
    {"future", {ErrorKind::protocol, "the message's time is 2026-11-22T01:48:00Z"}},
    {"truncated", {ErrorKind::unauthenticated, "cut off"}},
    {"tampered", {ErrorKind::unauthenticated, "cannot decrypt"}},
    {"no-integrity-protection", {ErrorKind::unauthenticated, "no integrity protection"}},
    {"unknown-version", {ErrorKind::protocol, "protocol version 2"}},
    {"unknown-field", {ErrorKind::protocol, "unknown field \"extra\""}},
    {"unknown-type", {ErrorKind::protocol, "not a known message type"}},
    {"unknown-body-field", {ErrorKind::protocol, "unknown field \"command\""}},
    {"repeated-field", {ErrorKind::protocol, "appears twice"}},
    {"oversized", {ErrorKind::unauthenticated, "size limit"}},
    {"compressed", {ErrorKind::unauthenticated, "compressed"}},
    {"armored", {ErrorKind::unauthenticated, "not a binary OpenPGP message"}},
    {"passphrase-encrypted", {ErrorKind::unauthenticated, "encrypted to public keys only"}},
};

Bytes vector_file(const std::string& name) {
    return read_file(vectors / "sealed" / (name + ".gpg"), 2U << 20U);
}

struct Receiver {
    Receiver() {
        gpg::initialise();
        dispatcher = gpg::import_secret_key(own.home(),
                                            Secret(read_file(vectors / "keys/dispatcher.secret.asc", 65536)));
        agent = gpg::import_public_key(peer.home(), read_file(vectors / "keys/agent.public.asc", 65536))
                    .fingerprint;
    }
    // Opens as a dispatcher does, up to the typed body.
    proto::Message open(const Bytes& sealed) const {
        const auto message = proto::open(sealed, {own.home(), dispatcher}, {peer.home(), agent}, clock);
        if (message.header.type != proto::JobNext::type)
            throw Error(ErrorKind::protocol, "not a known message type");
        from_json<proto::JobNext>(message.body);
        return message;
    }
    gpg::TempHome own, peer;
    std::string dispatcher, agent;
    test::FakeClock clock;
};

}  // namespace

TEST_CASE("each vector is opened or refused as its name says") {
    const Receiver receiver;
    const auto ok = receiver.open(vector_file("ok"));
    CHECK(ok.header.from == receiver.agent);
    CHECK(ok.header.id == "6f1c2a4e-0b8d-4c53-9a57-2f7d9e3b1c60");

    const auto replayed = receiver.open(vector_file("replayed-id"));
    CHECK(replayed.header.id == ok.header.id);
    CHECK(replayed.digest() != ok.digest());

    std::set<std::string> seen{"ok", "replayed-id"};
    for (const auto& [name, expected] : refusals) {
        CAPTURE(name);
        seen.insert(name);
        try {
            receiver.open(vector_file(name));
            FAIL_CHECK("was opened");
        } catch (const Error& error) {
            CHECK(strongroom::name(error.kind()) == strongroom::name(expected.kind));
            CHECK_THAT(error.text(), Contains(expected.text));
        }
    }
    for (const auto& entry : fs::directory_iterator(vectors / "sealed"))
        CHECK(seen.contains(entry.path().stem().string()));
}

TEST_CASE("a reply counts only for exactly the request that was sent") {
    const test::FakeClock clock;
    const auto request = [&](const char* version) {
        return proto::encode({"job.next",
                              std::string(40, 'A'),
                              std::string(40, 'B'),
                              "6f1c2a4e-0b8d-4c53-9a57-2f7d9e3b1c60",
                              clock.now(),
                              {}},
                             Json{{"version", version}});
    };
    const auto sent = request("0.1.0");
    const auto reply = proto::encode(proto::reply_header(sent, clock), Json{{"schedules", Json::array()}});
    CHECK_NOTHROW(proto::require_reply_to(reply, sent));
    CHECK_THROWS_WITH(proto::require_reply_to(reply, request("0.1.1")),
                      Contains("another request"));  // same id, other bytes
    CHECK_THROWS_WITH(proto::require_reply_to(sent, sent), Contains("another request"));

    auto other_type = proto::reply_header(sent, clock);
    other_type.type = "escrow.deposit.reply";
    CHECK_THROWS_WITH(proto::require_reply_to(proto::encode(other_type, Json::object()), sent),
                      Contains("expected job.next.reply"));

    const auto failure = proto::error_reply(sent, Error(ErrorKind::forbidden, "not yours", "ask"), clock);
    CHECK_THROWS_WITH(proto::require_reply_to(failure, sent), "not yours");
}

TEST_CASE("every message body refuses what it does not know, and out of range values") {
    const auto refuse = [](const char* json) {
        CAPTURE(json);
        CHECK_THROWS_AS(from_json<proto::JobNext::Reply>(parse_json(json, 10'000)), Error);
    };
    CHECK_NOTHROW(from_json<proto::JobNext::Reply>(parse_json(R"({"schedules":[]})", 1000)));
    refuse(R"({})");
    refuse(R"({"schedules":{}})");
    refuse(R"({"schedules":[],"command":"id"})");
    refuse(
        R"({"schedules":[{"id":"6f1c2a4e-0b8d-4c53-9a57-2f7d9e3b1c60","kind":"restore","cron":"* * * * *","splay_s":0}]})");
    refuse(R"({"schedules":[{"id":"../../etc","kind":"backup","cron":"* * * * *","splay_s":0}]})");
    refuse(
        R"({"schedules":[{"id":"6f1c2a4e-0b8d-4c53-9a57-2f7d9e3b1c60","kind":"backup","cron":"* * * * *","splay_s":1.5}]})");
    refuse(
        R"({"schedules":[{"id":"6f1c2a4e-0b8d-4c53-9a57-2f7d9e3b1c60","kind":"backup","cron":"* * * * *","splay_s":-1}]})");
    refuse(R"({"schedules":[]} trailing)");
    refuse("{\"schedules\":[],\"schedules\":[]}");
    CHECK_THROWS_AS(from_json<proto::RegistrationCreate>(parse_json(
                        "{\"code_hash\":\"" + std::string(64, '0') + "\",\"label\":\"a\\u001b[31m\"}", 1000)),
                    Error);
    CHECK_THROWS_AS(parse_json(std::string(40, '[') + std::string(40, ']'), 1000), Error);
}
