// Who may do what (S16): one table, a row for each message and a column for each sender, every cell tried. A
// message of the dispatcher's routes without a row fails, and so does a row without a message.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "proto/registration_code.hpp"
#include "tests/fuzz/message_types.hpp"
#include "tests/integration/dispatcher/api/api_room.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using strongroom::test::ApiRoom;
using strongroom::test::Peer;

namespace {

// All messages are about the server of `agent`, which belongs to `owner`, and about its job.
enum Sender {
    owner,
    other_user,
    agent,
    sibling,      // another agent of the same user
    other_agent,  // of the other user
    retired,
    retired_late,  // passed the gate before it was retired
    registrant,    // shows a valid registration code
    unregistered,  // has a key and makes up a token
    sender_count
};
constexpr std::array<const char*, sender_count> sender_names{"owner",        "other user",  "agent",
                                                             "sibling",      "other agent", "retired",
                                                             "retired late", "registrant",  "unregistered"};

struct World {
    World() {
        for (const Sender user : {owner, other_user}) peers[user] = room.add_user(sender_names[user]);
        for (const Sender one : {agent, sibling, retired, retired_late})
            peers[one] = room.add_agent(*peers[owner]);
        peers[other_agent] = room.add_agent(*peers[other_user]);
        for (const Sender one : {registrant, unregistered}) {
            const std::string uuid = random_uuid();
            peers[one] = room.make_peer(uuid + "@test.invalid");
            peers[one]->server = uuid;
        }
        room.ask(*peers[owner], proto::RegistrationCreate{"host", code_hash()});
        room.store().transact([&](Transaction& tx) { tx.retire_server(peers[retired]->server, 1); });
        late = room.api().admit(peers[retired_late]->authorization());
        room.store().transact([&](Transaction& tx) { tx.retire_server(peers[retired_late]->server, 1); });
        // A set that any agent may prove, as far as its own server goes.
        room.store().transact([&](Transaction& tx) {
            ServerVerifiers named{subject(), {}};
            for (const auto& peer : peers) named.fingerprints.push_back(peer->fingerprint);
            tx.put_verifiers(named);
            Backup backup;
            backup.set = set;
            backup.server = subject();
            backup.kind = "full";
            tx.put_backup(backup);
        });
        new_job();
    }
    Json proof() const {
        return {{"set", set},
                {"time", to_millis(room.clock.now())},
                {"proven", true},
                {"text", ""},
                {"server", subject()}};
    }

    // A job that the agent holds, in its first attempt.
    void new_job() {
        job = random_uuid();
        const std::int64_t now = to_millis(room.clock.now());
        room.store().transact([&](Transaction& tx) {
            Job fresh;
            fresh.id = job;
            fresh.server = subject();
            fresh.kind = "backup";
            fresh.created = now;
            tx.add_job(fresh);
            while (tx.claim_job(subject(), now, now + 60'000)) {
            }
        });
    }

    std::string code_hash() const { return proto::registration_code_hash(code); }
    const std::string& subject() const { return peers[agent]->server; }

    // What the dispatcher holds of all servers, as text: a refusal changes none of it.
    std::string state() {
        std::string out;
        room.store().read([&](Transaction& tx) {
            for (const auto& user : tx.list_users()) out += user.fingerprint + user.token_hash + "\n";
            for (const auto& peer : peers) {
                if (const auto server = tx.find_server(peer->server))
                    out += server->uuid + server->owner + server->label + server->version +
                           server->token_hash + std::to_string(server->retired) + "\n";
                for (const auto& one : tx.list_jobs(peer->server, 1000))
                    out += one.id + std::string(name(one.state)) + std::to_string(one.attempts) +
                           std::to_string(one.lease_until) + one.progress.stage + "\n";
                for (const auto& one : tx.list_schedules(peer->server)) out += one.id + one.cron + "\n";
                for (const auto& one : tx.list_backups(peer->server, 1000))
                    out += one.set + one.proof_by + std::to_string(one.proven) + "\n";
                if (const auto named = tx.find_verifiers(peer->server))
                    for (const auto& one : named->fingerprints) out += one + "\n";
                for (const auto& one : tx.list_escrow(peer->server)) out += one.id + "\n";
            }
            out += std::to_string(tx.find_code(code_hash())->used);
        });
        return out;
    }

    std::size_t refusals() {
        std::size_t out = 0;
        room.store().read([&](Transaction& tx) {
            for (const Sender user : {owner, other_user})
                for (const auto& entry : tx.list_audit(peers[user]->fingerprint, 100'000))
                    out += entry.outcome == "ok" ? 0U : 1U;
        });
        return out;
    }

    // "ok" or the kind of the error. `reply` is the body of the answer.
    std::string outcome(Sender sender, const std::string& type, const Json& body, Json& reply) {
        const Peer& from = *peers[sender];
        const auto request = room.request(from, type, body);
        try {
            if (sender == retired_late)
                reply = room.send_past_gate(from, request, *late);
            else if (sender == registrant)
                reply = room.send(from, request, "Registration " + code_hash());
            else
                reply = room.send(from, request);
            return "ok";
        } catch (const Error& error) {
            return std::string(name(error.kind()));
        }
    }

    ApiRoom room;
    std::array<std::unique_ptr<Peer>, sender_count> peers;
    std::string code = proto::make_registration_code();
    std::string job;
    const std::string set = "20261122T013700Z-3f9a2c1b";
    std::optional<Admission> late;
};

struct Row {
    const char* type;
    Json (*body)(const World&);
    std::array<const char*, sender_count> cells;
};

constexpr const char* OK = "ok";
constexpr const char* no = "forbidden";
constexpr const char* who = "unauthenticated";
constexpr const char* refused = "refused";

Json about_server(const World& world) {
    return {{"server", world.subject()}};
}
Json about_list(const World& world) {
    return {{"server", world.subject()}, {"limit", 10}};
}
Json empty_body(const World&) {
    return Json::object();
}

// clang-format off
const std::array rows{
    //                           owner other agent sibling other_agent retired late registrant unregistered
    Row{"register", [](const World& w) -> Json {
            const Peer& host = *w.peers[registrant];
            return to_json(proto::Register{host.server, "test.invalid", "host", "1", host.public_key, host.subkey,
                                           {w.peers[owner]->fingerprint}, w.code, sha256_hex(host.token)});
        }, {no, no, no, no, no, who, no, OK, who}},
    Row{"job.next", [](const World&) -> Json { return {{"version", "1"}}; },
        {no, no, OK, OK, OK, who, no, who, who}},
    Row{"job.progress", [](const World& w) -> Json {
            return {{"job", w.job}, {"attempt", 1}, {"stage", "reading"}, {"plain_bytes", 1}, {"stored_bytes", 1},
                    {"segments", 1}, {"total_bytes", 1}};
        }, {no, no, OK, no, no, who, no, who, who}},
    Row{"job.finished", [](const World& w) -> Json {
            return {{"job", w.job}, {"attempt", 1}, {"outcome", "failed"},
                    {"problem", {{"kind", "source"}, {"stage", ""}, {"text", "broken"}, {"hint", ""}}},
                    {"proof", w.proof()}};
        }, {no, no, OK, no, no, who, no, who, who}},
    Row{"escrow.deposit", [](const World& w) -> Json {
            return {{"subkey", w.peers[agent]->subkey}, {"record", "MQ=="},
                    {"recipients", Json::array({w.peers[owner]->fingerprint})}};
        }, {no, no, OK, refused, refused, who, no, who, who}},
    // Whose proof of another server's set counts: verifiers_test.cpp.
    Row{"agent.report", [](const World& w) -> Json {
            return {{"version", "1"}, {"label", "host"}, {"source", "s"}, {"store", "t"},
                    {"backups", Json::array()}, {"refusals", Json::array()}, {"proofs", Json::array({w.proof()})},
                    {"verifiers", Json::array({w.peers[other_agent]->fingerprint})}};
        }, {no, no, OK, OK, OK, who, no, who, who}},
    Row{"registration.create", [](const World&) -> Json { return {{"label", "x"}, {"code_hash", sha256_hex(random_uuid())}}; },
        {OK, OK, no, no, no, who, no, who, who}},
    Row{"server.list", empty_body, {OK, OK, no, no, no, who, no, who, who}},
    Row{"server.show", about_server, {OK, no, no, no, no, who, no, who, who}},
    Row{"schedule.set", [](const World& w) -> Json {
            return {{"server", w.subject()}, {"kind", "backup"}, {"cron", "0 2 * * *"}, {"splay_s", 0}};
        }, {OK, no, no, no, no, who, no, who, who}},
    // Of the caller's own servers: none of them is in a group here.
    Row{"group.schedule", [](const World&) -> Json {
            return {{"group", "shop"}, {"kind", "backup"}, {"cron", "0 2 * * *"}, {"splay_s", 0}, {"primary_after_s", 0}};
        }, {"not_found", "not_found", no, no, no, who, no, who, who}},
    Row{"group.list", empty_body, {OK, OK, no, no, no, who, no, who, who}},
    Row{"job.create", [](const World& w) -> Json { return {{"server", w.subject()}, {"kind", "backup"}}; },
        {OK, no, no, no, no, who, no, who, who}},
    Row{"job.list", about_list, {OK, no, no, no, no, who, no, who, who}},
    Row{"job.cancel", [](const World& w) -> Json { return {{"job", w.job}}; },
        {OK, no, no, no, no, who, no, who, who}},
    Row{"backup.list", about_list, {OK, no, no, no, no, who, no, who, who}},
    Row{"backup.forget", [](const World& w) -> Json {
            return {{"server", w.subject()}, {"sets", Json::array({w.set})}};
        }, {OK, no, no, no, no, who, no, who, who}},
    Row{"statement.send", [](const World& w) -> Json { return {{"server", w.subject()}, {"statement", "MQ=="}}; },
        {OK, no, no, no, no, who, no, who, who}},
    Row{"statement.list", about_list, {OK, no, no, no, no, who, no, who, who}},
    Row{"statement.answer", [](const World&) -> Json {
            return {{"sha256", sha256_hex("1")}, {"outcome", "applied"}, {"text", ""}};
        }, {no, no, OK, no, no, who, no, who, who}},
    // An agent speaks of its own key alone; what it says is looked at before all else (identity_test.cpp).
    Row{"identity.change", [](const World&) -> Json { return {{"current", "MQ=="}, {"next", "MQ=="}}; },
        {no, no, "crypto", "crypto", "crypto", who, no, who, who}},
    Row{"identity.list", about_server, {OK, no, no, no, no, who, no, who, who}},
    Row{"escrow.fetch", about_server, {OK, no, no, no, no, who, no, who, who}},
    // Who owns the server is let through to the checks of the proof itself (proof_test.cpp).
    Row{"escrow.challenge", about_server, {refused, no, no, no, no, who, no, who, who}},
    Row{"escrow.prove", [](const World& w) -> Json {
            return {{"server", w.subject()}, {"challenge", random_uuid()}, {"answers", Json::array()}};
        }, {refused, no, no, no, no, who, no, who, who}},
    Row{"audit.list", [](const World&) -> Json { return {{"limit", 10}}; },
        {OK, OK, no, no, no, who, no, who, who}},
    Row{"server.retire", about_server, {OK, no, no, no, no, who, no, who, who}},  // last: it ends the others
};
// clang-format on

}  // namespace

TEST_CASE("every message of the routes is fuzzed") {
    std::vector<std::string_view> fuzzed;
    fuzz::for_each_message([&]<class T>() { fuzzed.emplace_back(T::type); });
    for (const auto& route : routes()) {
        INFO("a route that tests/fuzz/message_types.hpp does not know: " << route.type);
        CHECK(std::ranges::count(fuzzed, route.type) == 1);
    }
}

TEST_CASE("authorisation: every message by every sender, from one table") {
    for (const auto& route : routes()) {
        INFO("a route without a row in the table: " << route.type);
        CHECK(std::ranges::count(rows, route.type,
                                 [](const Row& row) { return std::string_view(row.type); }) == 1);
    }
    for (const auto& row : rows) {
        INFO("a row without a route: " << row.type);
        CHECK(find_route(row.type) != nullptr);
    }

    World world;
    Json reply;
    std::size_t cells = 0;
    for (const auto& row : rows) {  // what must be refused, while everything is there to be taken
        // The audit trail takes only so many refusals of one sender in an hour.
        if ((&row - rows.data()) % 10 == 9) world.room.clock.advance(std::chrono::hours(1));
        for (int at = 0; at < sender_count; ++at) {
            const auto sender = static_cast<Sender>(at);
            const std::string expected = row.cells[sender];
            if (expected == OK) continue;
            INFO(row.type << " by " << sender_names[sender]);
            const std::string before = world.state();
            const std::size_t refusals = world.refusals();
            CHECK(world.outcome(sender, row.type, row.body(world), reply) == expected);
            CHECK(world.state() == before);
            // Whoever passed the gate is in the audit log of the user that the sender belongs to.
            const bool passed_gate = sender != retired && sender != unregistered;
            CHECK(world.refusals() == refusals + (passed_gate ? 1U : 0U));
            ++cells;
        }
    }
    for (const auto& row : rows) {
        for (int at = 0; at < sender_count; ++at) {
            const auto sender = static_cast<Sender>(at);
            if (row.cells[sender] != std::string(OK)) continue;
            INFO(row.type << " by " << sender_names[sender]);
            world.new_job();
            CHECK(world.outcome(sender, row.type, row.body(world), reply) == OK);
            // Who is let in without being the owner or the agent itself sees nothing of that server.
            const bool of_it = sender == owner || sender == agent || row.type == std::string("audit.list");
            if (!of_it) CHECK(reply.dump().find(world.subject()) == std::string::npos);
            if (!of_it) CHECK(reply.dump().find(world.job) == std::string::npos);
            ++cells;
        }
    }
    CHECK(cells == rows.size() * sender_count);
    // Retired just now: its token works no more.
    CHECK(world.outcome(agent, "job.next", {{"version", "1"}}, reply) == who);
}
