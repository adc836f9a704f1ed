#include "tests/integration/dispatcher/api/api_room.hpp"

#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"

namespace strongroom::test {

using namespace strongroom::dispatcher;

ApiRoom::ApiRoom() {
    gpg::initialise();
    fingerprint_ = gpg::generate_key(own_.home(), "Test dispatcher <dispatcher@test.invalid>", "ed25519");
    gpg::import_public_key(public_.home(), gpg::export_public(own_.home(), fingerprint_));
    store_ = SqliteStore::create(database());
    authenticator_ =
        std::make_unique<Authenticator>(proto::Party{own_.home(), fingerprint_}, folder_.path() / "p", clock);
    api_ = std::make_unique<MessageApi>(*store_, *authenticator_, metrics_, clock, std::chrono::minutes(1));
    api_->on_work([this](const std::string& server) {
        woken.push_back(server);
        if (at_work) at_work();
    });
    clock.set(SystemClock().now());  // keys made now must not be from the future
}

ApiRoom::~ApiRoom() = default;

std::unique_ptr<Peer> ApiRoom::make_peer(const std::string& user_id) {
    auto peer = std::make_unique<Peer>();
    peer->fingerprint = gpg::generate_key(peer->home.home(), user_id, "ed25519");
    peer->public_key = gpg::export_public(peer->home.home(), peer->fingerprint);
    peer->subkey = gpg::inspect_public_key(peer->public_key).encryption_subkey()->fingerprint;
    peer->token = to_hex(random_bytes(32));
    return peer;
}

std::unique_ptr<Peer> ApiRoom::add_user(const std::string& name) {
    auto peer = make_peer(name + " <" + name + "@test.invalid>");
    User user{peer->fingerprint, name, peer->public_key, sha256_hex(peer->token), to_millis(clock.now())};
    store_->transact([&](Transaction& tx) { tx.add_user(user); });
    return peer;
}

std::unique_ptr<Peer> ApiRoom::add_agent(const Peer& owner) {
    const std::string uuid = random_uuid();
    auto peer = make_peer(uuid + "@test.invalid");
    peer->server = uuid;
    Server server;
    server.uuid = uuid;
    server.owner = owner.fingerprint;
    server.identity = peer->fingerprint;
    server.subkey = peer->subkey;
    server.public_key = peer->public_key;
    server.token_hash = sha256_hex(peer->token);
    server.recovery = {owner.fingerprint};
    server.registered = to_millis(clock.now());
    store_->transact([&](Transaction& tx) { tx.add_server(server); });
    return peer;
}

proto::Message ApiRoom::request(const Peer& from, const std::string& type, Json body) const {
    proto::Header header;
    header.type = type;
    header.from = from.fingerprint;
    header.to = fingerprint_;
    header.id = random_uuid();
    header.time = clock.now();
    return proto::encode(header, std::move(body));
}

Json ApiRoom::send(const Peer& from, const proto::Message& message, const std::string& authorization) {
    return send_past_gate(from, message,
                          api_->admit(authorization.empty() ? from.authorization() : authorization));
}

Json ApiRoom::send_past_gate(const Peer& from, const proto::Message& message, const Admission& admission) {
    const proto::Party dispatcher{public_.home(), fingerprint_};
    last_answer = api_->message(admission, proto::seal(message, party_of(from), dispatcher));
    if (last_answer.status != 200) {
        const Json refusal = parse_json(last_answer.body, 4096);
        throw Error(error_kind_from_name(refusal.at("error").get<std::string>()),
                    "plain: " + refusal.at("text").get<std::string>());
    }
    last_reply = proto::open(last_answer.body, party_of(from), dispatcher, clock);
    proto::require_reply_to(last_reply, message);
    return last_reply.body;
}

std::string ApiRoom::outcome(const Peer& from, const std::string& type, const Json& body) {
    try {
        ask(from, type, body);
        return "ok";
    } catch (const Error& error) {
        return std::string(name(error.kind()));
    }
}

ErrorKind kind_of(const std::function<void()>& work, const std::string& part_of_text) {
    try {
        work();
    } catch (const Error& error) {
        INFO(error.text());
        CHECK(error.text().find(part_of_text) != std::string::npos);
        return error.kind();
    }
    FAIL("no error");
    return ErrorKind::internal;
}

}  // namespace strongroom::test
