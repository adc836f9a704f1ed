#include "tests/contract/dispatcher/store/store_contract.hpp"

#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::test {

using namespace strongroom::dispatcher;

namespace {

template <class Work>
void expect_error(ErrorKind kind, const Work& work) {
    try {
        work();
        FAIL("no error, expected " << name(kind));
    } catch (const Error& error) {
        INFO(error.text());
        CHECK(name(error.kind()) == name(kind));
    }
}

}  // namespace

User sample_user(char letter) {
    User user;
    user.fingerprint = std::string(40, letter);
    user.name = std::string("user ") + letter;
    user.public_key = "key\nof " + user.name;
    user.token_hash = sha256_hex(user.name);
    user.created = 1'700'000'000'123;
    return user;
}

Server sample_server(const User& owner, char letter) {
    Server server;
    server.uuid = random_uuid();
    server.owner = owner.fingerprint;
    server.identity = std::string(39, letter) + "1";
    server.subkey = std::string(39, letter) + "2";
    server.public_key = "key";
    server.token_hash = sha256_hex(server.uuid);
    server.label = "it's \"quoted\"; DROP TABLE servers -- \xC3\xA4";
    server.recovery = {owner.fingerprint, std::string(40, '9')};
    server.registered = 1'700'000'000'456;
    return server;
}

Job sample_job(const std::string& server, std::int64_t created) {
    Job job;
    job.id = random_uuid();
    job.server = server;
    job.kind = "backup";
    job.created_by = "schedule";
    job.created = created;
    return job;
}

void check_peers(const OpenStore& open) {
    const auto store = open();
    const User alice = sample_user('A');
    const User bob = sample_user('B');
    Server server = sample_server(alice, 'C');
    store->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_user(bob);
        tx.add_server(server);
    });
    const auto second = open();  // as after a restart
    second->read([&](Transaction& tx) {
        REQUIRE(tx.find_user(alice.fingerprint));
        CHECK(tx.find_user(alice.fingerprint)->public_key == alice.public_key);
        CHECK(tx.find_user(alice.fingerprint)->created == alice.created);
        CHECK(tx.find_user_by_token(bob.token_hash)->fingerprint == bob.fingerprint);
        CHECK_FALSE(tx.find_user_by_token(server.token_hash));
        CHECK(tx.list_users().size() == 2);
        const auto found = tx.find_server(server.uuid);
        REQUIRE(found);
        CHECK(found->label == server.label);
        CHECK(found->recovery == server.recovery);
        CHECK(found->registered == server.registered);
        CHECK(tx.find_server_by_token(server.token_hash)->uuid == server.uuid);
        CHECK(tx.list_servers(alice.fingerprint).size() == 1);
        CHECK(tx.list_servers(bob.fingerprint).empty());
    });
    // A UUID, an identity or a token is registered once.
    for (int taken = 0; taken < 3; ++taken) {
        Server again = sample_server(bob, 'D');
        if (taken == 0) again.uuid = server.uuid;
        if (taken == 1) again.identity = server.identity;
        if (taken == 2) again.token_hash = server.token_hash;
        expect_error(ErrorKind::exists,
                     [&] { store->transact([&](Transaction& tx) { tx.add_server(again); }); });
    }
    expect_error(ErrorKind::exists, [&] { store->transact([&](Transaction& tx) { tx.add_user(alice); }); });
    // An owner that does not exist.
    Server orphan = sample_server(sample_user('E'), 'E');
    CHECK_THROWS_AS(store->transact([&](Transaction& tx) { tx.add_server(orphan); }), Error);

    const Job job = sample_job(server.uuid, 5);
    bool first = false;
    bool again = true;
    store->transact([&](Transaction& tx) {
        tx.touch_server(server.uuid, 77);
        server.version = "1.2.3";
        tx.describe_server(server);
        tx.add_job(job);
        tx.put_server_recovery(server.uuid, {std::string(40, '8'), std::string(40, '9')}, 3);
        tx.put_server_key(server.uuid, std::string(40, '7'), "another key");
        first = tx.retire_server(server.uuid, 88);
        again = tx.retire_server(server.uuid, 99);
    });
    CHECK(first);
    CHECK_FALSE(again);
    store->read([&](Transaction& tx) {
        CHECK_FALSE(tx.find_waiting_agent(server.token_hash));
        CHECK(tx.find_server(server.uuid)->last_seen == 77);
        CHECK(tx.find_server(server.uuid)->version == "1.2.3");
        CHECK(tx.find_server(server.uuid)->subkey == std::string(40, '7'));
        CHECK(tx.find_server(server.uuid)->public_key == "another key");
        CHECK(tx.find_server(server.uuid)->recovery ==
              std::vector<std::string>{std::string(40, '8'), std::string(40, '9')});
        CHECK(tx.find_server(server.uuid)->recovery_sequence == 3);
        CHECK(tx.find_server(server.uuid)->retired == 88);
        CHECK(tx.find_job(job.id)->state == JobState::cancelled);
        CHECK(tx.counts().servers == 0);
        CHECK(tx.counts().users == 2);
    });
}

void check_codes(const OpenStore& open) {
    const auto store = open();
    const User alice = sample_user('A');
    RegistrationCode code;
    code.hash = sha256_hex("code");
    code.owner = alice.fingerprint;
    code.created = 1000;
    code.expires = 2000;
    const std::string server = random_uuid();
    bool late = true;
    bool used = false;
    bool twice = true;
    bool unknown = true;
    store->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_code(code);
    });
    store->transact([&](Transaction& tx) {
        late = tx.consume_code(code.hash, server, 2000);
        unknown = tx.consume_code(sha256_hex("other"), server, 1500);
        used = tx.consume_code(code.hash, server, 1999);
        twice = tx.consume_code(code.hash, random_uuid(), 1999);
    });
    CHECK_FALSE(late);
    CHECK_FALSE(unknown);
    CHECK(used);
    CHECK_FALSE(twice);
    store->read([&](Transaction& tx) {
        CHECK(tx.find_code(code.hash)->used_by == server);
        CHECK(tx.find_code(code.hash)->used == 1999);
        CHECK_FALSE(tx.find_code("x"));
    });
}

void check_schedules(const OpenStore& open) {
    const auto store = open();
    const User alice = sample_user('A');
    const Server server = sample_server(alice, 'C');
    Schedule schedule{random_uuid(), server.uuid, "backup", "0 * * * *", 60, 1, 5, 1000};
    store->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_server(server);
        tx.put_schedule(schedule);
    });
    store->read([&](Transaction& tx) {
        REQUIRE(tx.find_waiting_agent(server.token_hash));
        CHECK(tx.find_waiting_agent(server.token_hash)->server == server.uuid);
        CHECK(tx.find_waiting_agent(server.token_hash)->work == 1);  // it does not know the schedule yet
        CHECK_FALSE(tx.find_waiting_agent(sha256_hex("nobody")));
    });
    store->transact([&](Transaction& tx) { tx.schedules_told(server.uuid); });
    store->read([&](Transaction& tx) { CHECK(tx.find_waiting_agent(server.token_hash)->work == 0); });
    store->read([&](Transaction& tx) {
        CHECK(tx.enabled_schedules_before(999).empty());
        REQUIRE(tx.enabled_schedules_before(1000).size() == 1);
        CHECK(tx.enabled_schedules_before(1000).front().cron == schedule.cron);
        CHECK(tx.enabled_schedules_before(1000).front().splay == 60);
    });
    bool moved = false;
    bool again = true;
    store->transact([&](Transaction& tx) {
        moved = tx.advance_schedule(schedule.id, 1000, 2000);
        again = tx.advance_schedule(schedule.id, 1000, 2000);  // another dispatcher was first
    });
    CHECK(moved);
    CHECK_FALSE(again);
    Schedule replacement = schedule;
    replacement.id = random_uuid();
    replacement.cron = "5 * * * *";
    bool removed = false;
    bool gone = true;
    store->transact([&](Transaction& tx) { tx.put_schedule(replacement); });
    store->read([&](Transaction& tx) {
        REQUIRE(tx.list_schedules(server.uuid).size() == 1);
        CHECK(tx.list_schedules(server.uuid).front().id == replacement.id);
    });
    store->transact([&](Transaction& tx) {
        removed = tx.remove_schedule(server.uuid, "backup");
        gone = tx.remove_schedule(server.uuid, "backup");
    });
    CHECK(removed);
    CHECK_FALSE(gone);
}

void check_jobs(const OpenStore& open) {
    const auto store = open();
    const User alice = sample_user('A');
    const Server server = sample_server(alice, 'C');
    const Server other = sample_server(alice, 'D');
    Job job = sample_job(server.uuid, 10);
    job.schedule = random_uuid();
    job.slot = 60'000;
    Job duplicate = job;
    duplicate.id = random_uuid();
    Job next_slot = job;
    next_slot.id = random_uuid();
    next_slot.slot = 120'000;
    next_slot.created = 20;
    store->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_server(server);
        tx.add_server(other);
    });
    bool added = false;
    bool second = true;
    bool later = false;
    store->transact([&](Transaction& tx) {
        added = tx.add_job(job);
        second = tx.add_job(duplicate);
        later = tx.add_job(next_slot);
    });
    CHECK(added);
    CHECK_FALSE(second);  // one job for a (schedule, slot)
    CHECK(later);

    std::optional<Job> claimed;
    std::optional<Job> none;
    store->transact([&](Transaction& tx) {
        none = tx.claim_job(other.uuid, 100, 160);
        claimed = tx.claim_job(server.uuid, 100, 160);
    });
    CHECK_FALSE(none);
    REQUIRE(claimed);
    CHECK(claimed->id == job.id);  // the oldest
    CHECK(claimed->state == JobState::leased);
    CHECK(claimed->attempts == 1);
    CHECK(claimed->lease_until == 160);
    CHECK(claimed->started == 100);

    bool stranger = true;
    bool old_attempt = true;
    bool renewed = false;
    store->transact([&](Transaction& tx) {
        const Progress progress{"reading", 1, 2, 3, 4, 5};
        stranger = tx.renew_job(job.id, other.uuid, 1, 200, progress);
        old_attempt = tx.renew_job(job.id, server.uuid, 2, 200, progress);
        renewed = tx.renew_job(job.id, server.uuid, 1, 200, progress);
    });
    CHECK_FALSE(stranger);
    CHECK_FALSE(old_attempt);
    CHECK(renewed);
    bool requeued = false;
    bool retaken = false;
    store->read([&](Transaction& tx) {
        CHECK(tx.find_job(job.id)->state == JobState::running);
        CHECK(tx.find_job(job.id)->progress.stage == "reading");
        CHECK(tx.find_job(job.id)->progress.rate == 4);
        CHECK(tx.find_job(job.id)->progress.retries == 5);
        CHECK(tx.counts().progress.plain_bytes == 1);
        CHECK(tx.counts().progress.rate == 4);
        CHECK(tx.jobs_with_lease_before(199).empty());
        CHECK(tx.jobs_with_lease_before(200).size() == 1);
        CHECK(tx.open_jobs_of_schedule(job.schedule).size() == 2);
        CHECK(tx.list_jobs(server.uuid, 10).size() == 2);
        CHECK(tx.list_jobs(server.uuid, 1).front().id == next_slot.id);  // newest first
    });
    store->transact([&](Transaction& tx) {
        requeued = tx.requeue_job(job.id, 1);
        // The dispatcher was away, the agent went on: it may take its job back, as nobody else has it.
        retaken = tx.renew_job(job.id, server.uuid, 1, 300, Progress{});
    });
    CHECK(requeued);
    CHECK(retaken);

    Job result = job;
    result.attempts = 1;
    result.state = JobState::failed;
    result.finished = 400;
    result.problem = {"source", "reading", "it\nbroke", "repair it"};
    bool finished = false;
    bool twice = true;
    store->transact([&](Transaction& tx) {
        finished = tx.finish_job(result);
        twice = tx.finish_job(result);
    });
    CHECK(finished);
    CHECK_FALSE(twice);
    bool closed = false;
    bool closed_again = true;
    store->transact([&](Transaction& tx) {
        closed = tx.close_job(next_slot.id, JobState::cancelled, {"interrupted", "", "by hand", ""}, 500);
        closed_again = tx.close_job(next_slot.id, JobState::cancelled, {}, 500);
    });
    CHECK(closed);
    CHECK_FALSE(closed_again);
    store->read([&](Transaction& tx) {
        const auto stored = tx.find_job(job.id);
        CHECK(stored->state == JobState::failed);
        CHECK(stored->problem.text == "it\nbroke");
        CHECK(stored->problem.hint == "repair it");
        CHECK(stored->slot == 60'000);
        CHECK(tx.find_job(next_slot.id)->state == JobState::cancelled);
        CHECK(tx.find_waiting_agent(server.token_hash)->work == 0);
        CHECK(tx.counts().failed == 1);
    });
}

// Of each server and kind other than backups, the job that ended last, if it failed.
void check_failed_jobs(const OpenStore& open) {
    const auto store = open();
    const User alice = sample_user('A');
    const Server server = sample_server(alice, 'C');
    const Server other = sample_server(alice, 'D');
    store->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_server(server);
        tx.add_server(other);
    });
    const auto end = [&](const Server& of, const char* kind, JobState state, std::int64_t finished) {
        Job job = sample_job(of.uuid, finished);
        job.kind = kind;
        store->transact([&](Transaction& tx) { tx.add_job(job); });
        store->transact([&](Transaction& tx) {
            tx.close_job(job.id, state, {"corrupt", "", "bad", ""}, finished);
        });
        return job.id;
    };
    const auto failed = [&] {
        std::vector<std::string> out;
        store->read([&](Transaction& tx) {
            out.clear();
            for (const auto& job : tx.failed_jobs()) out.push_back(job.id);
        });
        return out;
    };
    end(server, "backup", JobState::failed, 10);  // has a rule of its own
    end(server, "verify", JobState::failed, 10);
    const auto verify = end(server, "verify", JobState::expired, 20);
    const auto rotate = end(other, "rotate", JobState::failed, 20);
    end(other, "rotate", JobState::cancelled, 30);  // says nothing
    auto expected = std::vector<std::string>{verify, rotate};
    if (server.uuid > other.uuid) std::swap(expected[0], expected[1]);
    CHECK(failed() == expected);
    end(server, "verify", JobState::succeeded, 30);
    CHECK(failed() == std::vector<std::string>{rotate});
    store->transact([&](Transaction& tx) { tx.retire_server(other.uuid, 40); });
    CHECK(failed().empty());
}

}  // namespace strongroom::test
