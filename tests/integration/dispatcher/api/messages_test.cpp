#include <catch2/catch.hpp>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/packets.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "proto/registration_code.hpp"
#include "tests/integration/dispatcher/api/api_room.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using strongroom::test::ApiRoom;
using strongroom::test::Peer;

namespace {

ErrorKind kind_of(const std::function<void()>& work, const std::string& part_of_text = {}) {
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

TEST_CASE("escrow: only the server's subkey, append-only, fetched as deposited; other pins are told") {
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
