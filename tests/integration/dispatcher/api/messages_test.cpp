// Messages that are repeated, that break the protocol, and jobs and statements that they carry.
#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "tests/integration/dispatcher/api/api_room.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using strongroom::test::ApiRoom;
using strongroom::test::kind_of;

TEST_CASE("a repeated message has one effect and the identical reply") {
    ApiRoom room;
    const auto alice = room.add_user("alice");
    const auto agent = room.add_agent(*alice);
    const auto message = room.request(*alice, "job.create", {{"server", agent->server}, {"kind", "backup"}});
    const Json first = room.send(*alice, message);
    const Bytes bytes = room.last_reply.json;
    CHECK(room.send(*alice, message) == first);
    CHECK(room.last_reply.json == bytes);
    room.store().read([&](Transaction& tx) { CHECK(tx.list_jobs(agent->server, 10).size() == 1); });

    // The same id for something else is refused, and the first reply stays.
    proto::Header header = message.header;
    const auto other = proto::encode(header, {{"server", agent->server}, {"kind", "escrow"}});
    CHECK(kind_of([&] { room.send(*alice, other); }, "used for another message") == ErrorKind::protocol);
    room.send(*alice, message);
    CHECK(room.last_reply.json == bytes);

    // A refusal is repeated, too.
    const auto refused = room.request(*alice, "job.cancel", {{"job", random_uuid()}});
    CHECK(kind_of([&] { room.send(*alice, refused); }) == ErrorKind::forbidden);
    const Bytes refusal = room.last_reply.json;
    CHECK(kind_of([&] { room.send(*alice, refused); }) == ErrorKind::forbidden);
    CHECK(room.last_reply.json == refusal);
}

TEST_CASE("a reply that could not be sealed after its commit comes with the repeated message") {
    ApiRoom room;
    const auto alice = room.add_user("alice");
    const auto agent = room.add_agent(*alice);
    const auto message = room.request(*alice, "job.create", {{"server", agent->server}, {"kind", "backup"}});
    // The agent is told of its work after the commit and before sealing: there gpg loses the user's key.
    const auto home = room.peer_home(*alice);
    const auto away = home.parent_path() / "away";
    room.at_work = [&] { std::filesystem::rename(home, away); };
    CHECK_THROWS_AS(room.send(*alice, message), Error);
    CHECK(room.last_answer.status == 500);
    CHECK(room.woken == std::vector<std::string>{agent->server});
    room.at_work = {};
    std::filesystem::rename(away, home);
    const Json reply = room.send(*alice, message);
    room.store().read([&](Transaction& tx) {
        REQUIRE(tx.list_jobs(agent->server, 10).size() == 1);
        CHECK(tx.list_jobs(agent->server, 10).front().id == reply.at("job").get<std::string>());
    });
}

TEST_CASE("what breaks the protocol is refused, and nothing happens") {
    ApiRoom room;
    const auto alice = room.add_user("alice");
    const auto bob = room.add_user("bob");
    const auto agent = room.add_agent(*alice);
    const std::string uuid = agent->server;
    CHECK(kind_of(
              [&] {
                  room.ask(*alice, "job.create", {{"server", uuid}, {"kind", "shell"}});
              },
              "kind") == ErrorKind::protocol);
    CHECK(kind_of(
              [&] {
                  room.ask(*alice, "job.create", {{"server", uuid}, {"kind", "backup"}, {"command", "id"}});
              },
              "unknown field") == ErrorKind::protocol);
    CHECK(kind_of([&] { room.ask(*alice, "job.run", Json::object()); }) == ErrorKind::protocol);
    CHECK(kind_of(
              [&] {
                  room.ask(*alice, "schedule.set",
                           {{"server", uuid}, {"kind", "backup"}, {"cron", "61 * * * *"}, {"splay_s", 0}});
              },
              "minute") == ErrorKind::usage);
    // Signed by bob, shown with alice's token; stale; not a message at all.
    CHECK(kind_of(
              [&] {
                  room.send(*bob, room.request(*bob, "server.list", Json::object()), alice->authorization());
              },
              "plain") == ErrorKind::unauthenticated);
    const auto stale = room.request(*alice, "server.list", Json::object());
    room.clock.advance(std::chrono::minutes(11));
    CHECK_THROWS_AS(room.send(*alice, stale), Error);
    room.clock.advance(-std::chrono::minutes(11));
    const auto answer = room.api().message(room.api().admit(alice->authorization()), "not OpenPGP");
    CHECK(answer.status >= 400);
    CHECK(answer.status < 500);
    room.store().read([&](Transaction& tx) {
        CHECK(tx.list_jobs(uuid, 10).empty());
        CHECK(tx.list_schedules(uuid).empty());
    });
}

TEST_CASE("a job from order to result, and one that was cancelled while it ran") {
    ApiRoom room;
    const auto alice = room.add_user("alice");
    const auto agent = room.add_agent(*alice);
    room.ask(*alice, proto::ScheduleSet{agent->server, "backup", "0 2 * * *", 0});
    const std::string id = room.ask(*alice, proto::JobCreate{agent->server, "backup"}).job;
    CHECK(room.api().admit_waiting(agent->authorization()).work == 1);
    const auto next = room.ask(*agent, proto::JobNext{"1"});
    REQUIRE(next.job);
    CHECK(next.job->id == id);
    CHECK(next.job->attempt == 1);
    CHECK_FALSE(next.job->slot);
    REQUIRE(next.schedules.size() == 1);
    CHECK(next.schedules.front().cron == "0 2 * * *");
    const auto has_news = [&] { return room.api().admit_waiting(agent->authorization()).work == 1; };
    CHECK_FALSE(has_news());
    CHECK_FALSE(room.ask(*agent, proto::JobNext{"1"}).job);
    // A change of its schedules is news for an agent, too, and so is the end of one.
    for (const char* cron : {"0 3 * * *", "", "0 2 * * *"}) {
        room.ask(*alice, proto::ScheduleSet{agent->server, "backup", cron, 0});
        CHECK(has_news());
        CHECK(room.ask(*agent, proto::JobNext{"1"}).schedules.size() == (*cron != '\0' ? 1 : 0));
        CHECK_FALSE(has_news());
    }
    CHECK_THROWS_AS(room.api().admit_waiting(alice->authorization()), Error);  // agents only

    CHECK_FALSE(room.ask(*agent, proto::JobProgress{id, 1, "reading", 10, 5, 1, 100, 7, 2}).cancel);
    CHECK(room.ask(*agent, proto::JobProgress{id, 2, "reading", 10, 5, 1, 100}).cancel);  // not its attempt
    const auto listed = room.ask(*alice, proto::JobList{agent->server, 10}).jobs;
    REQUIRE(listed.size() == 1);
    CHECK(listed.front().state == "running");
    CHECK(listed.front().plain_bytes == 10);
    CHECK(listed.front().rate == 7);
    CHECK(listed.front().retries == 2);

    proto::Backup backup;
    backup.set = "20261122T020000Z-3f9a2c1b";
    backup.created = 1;
    backup.finished = 2;
    backup.source = "mariadb-backup";
    backup.store = "file:///srv";
    proto::JobFinished finished{id, 1, "succeeded", {}, backup};
    room.ask(*agent, finished);
    room.ask(*agent, finished);  // told again under a new id after a restart
    CHECK(room.ask(*alice, proto::JobList{{}, 10}).jobs.front().set == backup.set);
    CHECK(room.ask(*alice, proto::BackupList{agent->server, 10}).backups.size() == 1);
    const auto shown = room.ask(*alice, proto::ServerShow{agent->server});
    CHECK(shown.info.last_set == backup.set);
    REQUIRE(shown.schedules.size() == 1);
    CHECK(shown.schedules.front().next_due > to_millis(room.clock.now()));

    // Cancelled while it runs: the agent hears it, and its committed set is listed all the same.
    room.clock.advance(std::chrono::seconds(1));
    const std::string second = room.ask(*alice, proto::JobCreate{agent->server, "backup"}).job;
    REQUIRE(room.ask(*agent, proto::JobNext{"1"}).job);
    CHECK(room.ask(*alice, proto::JobCancel{second}).state == "cancelled");
    CHECK(room.ask(*agent, proto::JobProgress{second, 1, "reading", 0, 0, 0, 0}).cancel);
    backup.set = "20261122T030000Z-3f9a2c1b";
    room.ask(*agent, proto::JobFinished{second, 1, "succeeded", {}, backup});
    CHECK(room.ask(*alice, proto::JobList{{}, 1}).jobs.front().state == "cancelled");
    CHECK(room.ask(*alice, proto::BackupList{agent->server, 10}).backups.size() == 2);
    CHECK(kind_of([&] { room.ask(*alice, proto::JobCancel{second}); }) == ErrorKind::refused);

    // A proof by restoring: the user sees the last one of each set; a time ahead of ours is taken as now.
    proto::AgentReport report{"1", "host", "s", "t", {}, {}, {}, {}};
    report.proofs = {{backup.set, to_millis(room.clock.now()) + 3600'000, false, "it failed"},
                     {"20261122T013700Z-00000000", 1, true, "nobody knows this set"}};
    room.ask(*agent, report);
    CHECK(room.ask(*alice, proto::AuditList{1}).entries.front().action == "set.not_proven");
    CHECK(room.ask(*alice, proto::BackupList{agent->server, 10}).backups.front().proof->text == "it failed");
    CHECK(room.ask(*alice, proto::ServerShow{agent->server}).info.not_restored->set == backup.set);
    room.clock.advance(std::chrono::seconds(1));
    report.proofs = {{backup.set, to_millis(room.clock.now()), true, "it holds"}};
    room.ask(*agent, report);
    CHECK(room.ask(*alice, proto::ServerShow{agent->server}).info.restored->text == "it holds");
    CHECK_FALSE(room.ask(*alice, proto::ServerShow{agent->server}).info.not_restored);

    // Removed from the store by its owner: no longer listed, also when the agent tells of it again.
    CHECK(room.ask(*alice, proto::BackupForget{agent->server, {backup.set, backup.set}}).forgotten == 1);
    CHECK(room.ask(*alice, proto::BackupForget{agent->server, {backup.set}}).forgotten == 0);
    room.ask(*agent, proto::AgentReport{"1", "host", "s", "t", {}, {backup}, {}, {}});
    const auto left = room.ask(*alice, proto::BackupList{agent->server, 10}).backups;
    REQUIRE(left.size() == 1);
    CHECK(room.ask(*alice, proto::AuditList{1}).entries.front().action != "backup.reported");

    // Pruned by the agent itself.
    room.ask(*agent, proto::AgentReport{"1", "host", "s", "t", {}, {}, {}, {{left.front().set}}});
    CHECK(room.ask(*alice, proto::BackupList{agent->server, 10}).backups.empty());
    CHECK(room.ask(*alice, proto::AuditList{1}).entries.front().action == "backup.forget");
}

TEST_CASE("statements: carried as they are, one at a time, until the agent answers") {
    ApiRoom room;
    const auto alice = room.add_user("alice");
    const auto agent = room.add_agent(*alice);
    const std::string first = to_base64("first");
    const std::string second = to_base64("second");
    const auto told = [&] { return room.ask(*agent, proto::JobNext{"1"}).statement; };
    const auto listed = [&] { return room.ask(*alice, proto::StatementList{agent->server, 10}).statements; };
    CHECK_FALSE(told());
    CHECK(room.ask(*alice, proto::StatementSend{agent->server, first}).sha256 == sha256_hex("first"));
    CHECK(room.ask(*alice, proto::StatementSend{agent->server, first}).sha256 == sha256_hex("first"));
    CHECK(told() == first);
    CHECK(told() == first);  // until it is answered
    room.clock.advance(std::chrono::seconds(1));
    room.ask(*alice, proto::StatementSend{agent->server, second});
    CHECK(told() == second);
    room.ask(*agent, proto::StatementAnswer{sha256_hex("second"), "refused", "for another\nserver"});
    room.ask(*agent, proto::StatementAnswer{sha256_hex("second"), "applied", "a late one"});
    room.ask(*agent, proto::StatementAnswer{sha256_hex("first"), "applied", "a late one"});
    CHECK_FALSE(told());
    REQUIRE(listed().size() == 2);
    CHECK(listed()[0].state == "refused");
    CHECK(listed()[0].text->find("for another") == 0);
    CHECK(listed()[0].sender == alice->fingerprint);
    CHECK(listed()[1].state == "replaced");
    CHECK(kind_of(
              [&] {
                  room.ask(*alice, proto::StatementSend{agent->server, second});
              },
              "sent before") == ErrorKind::refused);
    CHECK(kind_of([&] { room.ask(*alice, proto::StatementSend{agent->server, ""}); }) == ErrorKind::protocol);
    room.ask(*alice, proto::ServerRetire{agent->server});
    CHECK(kind_of(
              [&] {
                  room.ask(*alice, proto::StatementSend{agent->server, to_base64("third")});
              },
              "retired") == ErrorKind::refused);
}
