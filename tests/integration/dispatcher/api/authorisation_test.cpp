// Who may do what (S16), for every row of the routes table: a new message without a body here fails this
// test.
#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "tests/integration/dispatcher/api/api_room.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using strongroom::test::ApiRoom;
using strongroom::test::Peer;

namespace {

constexpr const char* wrong_owner_forbidden = "forbidden";

struct Request {
    Json body;
    // What another user or another agent gets: "forbidden" if the body names an object, "ok" if it does not.
    std::string stranger;
};

std::map<std::string, Request> requests_about(const Peer& agent, const std::string& job) {
    const Json server{{"server", agent.server}};
    const Json progress{{"job", job},        {"attempt", 1},  {"stage", "reading"}, {"plain_bytes", 1},
                        {"stored_bytes", 1}, {"segments", 1}, {"total_bytes", 1}};
    const Json problem{{"kind", "source"}, {"stage", ""}, {"text", "broken"}, {"hint", ""}};
    return {
        {"register", {Json::object(), wrong_owner_forbidden}},
        {"job.next", {{{"version", "1"}}, "ok"}},
        {"job.progress", {progress, wrong_owner_forbidden}},
        {"job.finished",
         {{{"job", job}, {"attempt", 1}, {"outcome", "failed"}, {"problem", problem}},
          wrong_owner_forbidden}},
        {"escrow.deposit",
         {{{"subkey", agent.subkey}, {"record", "MQ=="}, {"recipients", Json::array()}}, "refused"}},
        {"agent.report",
         {{{"version", "1"},
           {"label", "host"},
           {"source", "s"},
           {"store", "t"},
           {"backups", Json::array()},
           {"refusals", Json::array()}},
          "ok"}},
        {"registration.create", {{{"label", "x"}, {"code_hash", "fresh"}}, "ok"}},
        {"server.list", {Json::object(), "ok"}},
        {"server.show", {server, wrong_owner_forbidden}},
        {"server.retire", {server, wrong_owner_forbidden}},
        {"schedule.set",
         {{{"server", agent.server}, {"kind", "backup"}, {"cron", "0 2 * * *"}, {"splay_s", 0}},
          wrong_owner_forbidden}},
        {"job.create", {{{"server", agent.server}, {"kind", "backup"}}, wrong_owner_forbidden}},
        {"job.list", {{{"server", agent.server}, {"limit", 10}}, wrong_owner_forbidden}},
        {"job.cancel", {{{"job", job}}, wrong_owner_forbidden}},
        {"backup.list", {{{"server", agent.server}, {"limit", 10}}, wrong_owner_forbidden}},
        {"escrow.fetch", {server, wrong_owner_forbidden}},
        {"audit.list", {{{"limit", 10}}, "ok"}},
    };
}

}  // namespace

TEST_CASE(
    "authorisation: every message, by the owner, another user, the agent, another agent, a retired one") {
    ApiRoom room;
    const auto owner = room.add_user("owner");
    const auto other = room.add_user("other");
    const auto agent = room.add_agent(*owner);
    const auto other_agent = room.add_agent(*other);
    const auto retired = room.add_agent(*owner);
    room.store().transact([&](Transaction& tx) { tx.retire_server(retired->server, 1); });
    Job job;
    job.id = random_uuid();
    job.server = agent->server;
    job.kind = "backup";
    job.created = 1;
    const std::int64_t now = to_millis(room.clock.now());
    room.store().transact([&](Transaction& tx) {
        tx.add_job(job);
        tx.claim_job(agent->server, now, now + 60'000);
    });
    auto requests = requests_about(*agent, job.id);
    requests["escrow.deposit"].body["recipients"] = Json::array({owner->fingerprint});

    // A code can be announced once, so each request has another.
    const auto outcome = [&](const Peer& from, const std::string& type, Json body) {
        if (body.contains("code_hash")) body["code_hash"] = sha256_hex(random_uuid());
        return room.outcome(from, type, body);
    };
    for (const auto& route : routes()) {
        const std::string type(route.type);
        INFO(type);
        REQUIRE(requests.count(type) == 1);
        const auto& [body, stranger] = requests.at(type);
        CHECK_THROWS_AS(room.ask(*retired, type, body), Error);  // refused at the gate
        const bool for_user = route.caller == Role::user;
        const bool for_agent = route.caller == Role::agent;
        CHECK(outcome(*other, type, body) == (for_user ? stranger : "forbidden"));
        if (room.last_answer.status == 200 && for_user && stranger == "ok") {
            if (type != "audit.list")  // which shows the refusals that name what was asked for
                CHECK(room.last_reply.json.find(agent->server) == std::string::npos);
        }
        CHECK(outcome(*other_agent, type, body) == (for_agent ? stranger : "forbidden"));
        CHECK(outcome(*(for_user ? agent : owner), type, body) == "forbidden");
    }
    // All these refusals changed nothing, and each is in the audit log of who tried.
    room.store().read([&](Transaction& tx) {
        CHECK(tx.find_server(agent->server)->retired == 0);
        CHECK(tx.find_job(job.id)->state == JobState::leased);
        CHECK(tx.list_schedules(agent->server).empty());
        CHECK(tx.list_jobs(agent->server, 10).size() == 1);
        CHECK(tx.list_escrow(agent->server).empty());
        std::size_t refused = 0;
        for (const auto& entry : tx.list_audit(other->fingerprint, 1000))
            refused += entry.outcome != "ok" ? 1U : 0U;
        CHECK(refused >= routes().size());
    });
    // The rightful ones are let through.
    for (const auto& route : routes()) {
        const std::string type(route.type);
        if (route.caller == Role::registrant || type == "server.retire" || type == "job.cancel") continue;
        INFO(type);
        CHECK(outcome(*(route.caller == Role::user ? owner : agent), type, requests.at(type).body) == "ok");
    }
    const auto created = room.ask(*owner, proto::JobCreate{agent->server, "backup"});
    CHECK(room.outcome(*owner, "job.cancel", {{"job", created.job}}) == "ok");
    CHECK(room.outcome(*owner, "server.retire", {{"server", agent->server}}) == "ok");
    try {  // at once, also for a token that passed the gate before
        room.ask(*agent, "job.next", {{"version", "1"}});
        FAIL("a retired agent was served");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::unauthenticated);
    }
}
