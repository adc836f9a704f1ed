// The audit trail of a real dispatcher: what gets in, and that any change to the file is found.
#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <set>
#include <sstream>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "dispatcher/audit/refusal_book.hpp"
#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

using namespace strongroom;
using namespace std::chrono_literals;
using strongroom::test::DispatcherProcess;

namespace {

std::vector<Json> entries(const DispatcherProcess& dispatcher, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"audit", "show", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto shown = dispatcher.command(arguments);
    INFO(shown.err);
    REQUIRE(shown.status.ok());
    std::vector<Json> out;
    std::istringstream lines(shown.out);
    for (std::string line; std::getline(lines, line);) out.push_back(Json::parse(line));
    return out;
}

Json verified(const DispatcherProcess& dispatcher, int expected_code,
              const std::vector<std::string>& heads = {}) {
    std::vector<std::string> arguments{"audit", "verify", "--json"};
    for (const auto& head : heads) arguments.insert(arguments.end(), {"--head", head});
    const auto result = dispatcher.command(arguments);
    INFO(result.err << result.out);
    CHECK(result.status.code == expected_code);
    return Json::parse(result.out);
}

// As somebody with the file and no respect for triggers does it.
void tamper(const DispatcherProcess& dispatcher, const std::string& sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open((dispatcher.state() / "dispatcher.sqlite").c_str(), &database) == SQLITE_OK);
    const std::string all =
        "DROP TRIGGER IF EXISTS audit_keep_update; DROP TRIGGER IF EXISTS audit_keep_delete; "
        "DROP TRIGGER IF EXISTS audit_keep_end; " +
        sql;
    char* problem = nullptr;
    const int result = sqlite3_exec(database, all.c_str(), nullptr, nullptr, &problem);
    INFO((problem != nullptr ? problem : ""));
    REQUIRE(result == SQLITE_OK);
    sqlite3_close(database);
}

constexpr int corrupt = 12;

}  // namespace

TEST_CASE("audit: every change that a user, an agent or the operator makes has its entry") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const auto agent = dispatcher.register_agent(*alice);
    alice->exchange->ask(proto::ScheduleSet{agent->server, "backup", "0 3 * * *", 60});
    const auto job = alice->exchange->ask(proto::JobCreate{agent->server, "backup"}).job;
    const auto order = agent->exchange->ask(proto::JobNext{"1"}).job;
    REQUIRE(order);
    agent->exchange->ask(proto::JobFinished{order->id, order->attempt, "failed",
                                            proto::Problem{"source", "dump", "no grant", ""}, std::nullopt});
    alice->exchange->ask(proto::JobCancel{job});
    alice->exchange->ask(proto::EscrowFetch{agent->server});
    proto::AgentReport report{"2",          "host", "mariadb-dump",           "file:///b",
                              std::nullopt, {},     {"an order was refused"}, {}};
    report.verifiers = {std::string(40, 'F')};
    report.proofs = {{"20261122T013700Z-3f9a2c1b", 1, true, "", random_uuid()}};  // of whose server it is not
    agent->exchange->ask(report);
    alice->exchange->ask(proto::ServerRetire{agent->server});
    REQUIRE(dispatcher.command({"audit", "verify"}).status.ok());
    std::multiset<std::string> actions;
    for (const auto& entry : entries(dispatcher)) actions.insert(entry["action"].get<std::string>());
    for (const char* expected :
         {"dispatcher.start", "user.add", "registration.create", "register", "schedule.set", "job.create",
          "job.next", "job.finished", "job.cancel", "escrow.fetch", "agent.report", "agent.refusal",
          "agent.verifiers", "proof.refused", "server.retire"}) {
        INFO(expected);
        CHECK(actions.count(expected) == 1);
    }
    const auto all = entries(dispatcher);
    CHECK(entries(dispatcher, {"--since", "2999-01-01"}).empty());
    CHECK(entries(dispatcher, {"--since", all.back()["time"].get<std::string>()}).size() >= 1);
    CHECK(dispatcher.command({"audit", "show", "--since", "yesterday"}).status.code ==
          exit_code(ErrorKind::usage));
    CHECK(dispatcher.command({"audit", "show"}).out.find("server.retire") != std::string::npos);
}

TEST_CASE("audit: changed, removed, put in and moved entries are found and named") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    for (int i = 0; i < 6; ++i)
        alice->exchange->ask(proto::RegistrationCreate{"host", sha256_hex(std::to_string(i))});
    const Json whole = verified(dispatcher, 0);
    CHECK(whole["whole"] == true);
    const std::string head = whole["head"]["hash"];
    CHECK(whole["entries"] == whole["head"]["seq"]);
    CHECK(entries(dispatcher).back()["hash"] == head);

    const auto first_problem = [&] {
        return verified(dispatcher, corrupt)["problems"].at(0).get<std::string>();
    };
    SECTION("changed") {
        tamper(dispatcher, "UPDATE audit SET actor = 'operator' WHERE seq = 4");
        CHECK(first_problem().find("entry 4 (") != std::string::npos);
    }
    SECTION("removed") {
        tamper(dispatcher, "DELETE FROM audit WHERE seq = 4");
        CHECK(first_problem().find("entry 4 is missing") != std::string::npos);
    }
    SECTION("put in") {
        tamper(dispatcher,
               "UPDATE audit SET seq = seq + 100 WHERE seq > 3; UPDATE audit SET seq = seq - 99 WHERE seq > "
               "100; "
               "INSERT INTO audit SELECT 4, 'x', time, owner, actor, action, object, outcome, text, hash "
               "FROM audit "
               "WHERE seq = 3");
        CHECK(first_problem().find("entry 4 (") != std::string::npos);
    }
    SECTION("moved") {
        tamper(dispatcher,
               "UPDATE audit SET seq = 100 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4; "
               "UPDATE audit SET seq = 4 WHERE seq = 100");
        CHECK(first_problem().find("entry 3 (") != std::string::npos);
    }
    SECTION("the newest cut off: only a head that was kept shows it") {
        verified(dispatcher, 0, {head});
        tamper(dispatcher, "DELETE FROM audit WHERE seq > 4");
        verified(dispatcher, 0);
        const Json found = verified(dispatcher, corrupt, {head});
        CHECK(found["problems"].at(0).get<std::string>().find(head) != std::string::npos);
        CHECK(dispatcher.command({"audit", "verify", "--head", "abc"}).status.code ==
              exit_code(ErrorKind::usage));
    }
}

TEST_CASE("audit: refusals of one identity do not fill the trail") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const auto before = entries(dispatcher).size();
    const int tried = static_cast<int>(dispatcher::RefusalBook::entries_an_hour) + 15;
    // Proven messages, so that the limit of the gate for what cannot be opened does not come first.
    for (int i = 0; i < tried; ++i)
        CHECK_THROWS_AS(alice->exchange->ask(proto::ServerShow{random_uuid()}), Error);
    CHECK(entries(dispatcher).size() == before + dispatcher::RefusalBook::entries_an_hour);
    CHECK(dispatcher.metric("strongroom_dispatcher_audit_suppressed_total") == 15);
    REQUIRE(dispatcher.stop(10s).ok());  // writes the count down
    const auto after = entries(dispatcher);
    REQUIRE(after.size() == before + dispatcher::RefusalBook::entries_an_hour + 2);
    CHECK(after[after.size() - 2]["action"] == "refusals");
    CHECK(after[after.size() - 2]["text"].get<std::string>().rfind("15 more", 0) == 0);
    CHECK(after.back()["action"] == "dispatcher.stop");
    CHECK(dispatcher.command({"audit", "verify"}).status.ok());
}
