// Groups: who is in one, and a job that moves from member to member.
#include <catch2/catch.hpp>

#include "common/base/ids.hpp"
#include "tests/contract/dispatcher/store/store_contract.hpp"

namespace strongroom::test {

using namespace strongroom::dispatcher;

void check_groups(const OpenStore& open) {
    const auto store = open();
    const User alice = sample_user('A');
    const User bob = sample_user('B');
    const Server first = sample_server(alice, 'C');
    const Server second = sample_server(alice, 'D');
    const Server foreign = sample_server(bob, 'E');
    GroupSchedule schedule{random_uuid(), alice.fingerprint, "shop", "backup", "0 3 * * *", 60, -1, 5, 100};
    Job job = sample_job(first.uuid, 10);
    job.schedule = schedule.id;
    job.slot = 100;
    job.group = "shop";
    job.held = 1;
    const auto change = [&](auto work) {
        bool out = false;
        store->transact([&](Transaction& tx) { out = work(tx); });
        return out;
    };
    const auto job_now = [&] {
        std::optional<Job> out;
        store->read([&](Transaction& tx) { out = tx.find_job(job.id); });
        return out.value_or(Job{});
    };
    store->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_user(bob);
        for (const auto& server : {first, second, foreign}) {
            tx.add_server(server);
            tx.put_server_state({server.uuid, 7, "shop", "{}"});
        }
        tx.put_server_state({second.uuid, 8, "other", "{\"a\":1}"});  // replaces
        tx.put_group_schedule(schedule);
        schedule.id = random_uuid();
        tx.put_group_schedule(schedule);  // replaces that of this group and kind
        tx.add_job(job);
    });
    const auto members = [&](const std::string& group) {
        std::size_t out = 0;
        store->read([&](Transaction& tx) { out = tx.group_members(alice.fingerprint, group).size(); });
        return out;
    };
    CHECK(members("shop") == 1);  // bob's is not in alice's group
    CHECK(members("other") == 1);
    CHECK(members("") == 0);
    store->read([&](Transaction& tx) {
        CHECK(tx.find_server_state(second.uuid)->state == "{\"a\":1}");
        CHECK(tx.list_server_states().size() == 3);
        CHECK(tx.list_group_schedules(alice.fingerprint).size() == 1);
        CHECK(tx.list_group_schedules(bob.fingerprint).empty());
        CHECK(tx.list_group_schedules("").size() == 1);
        CHECK(tx.group_schedules_before(99).empty());
        CHECK(tx.group_schedules_before(100).at(0).primary_after == -1);
        CHECK(tx.find_slot_job(job.schedule, 100)->id == job.id);
        CHECK_FALSE(tx.find_slot_job(job.schedule, 101));
        const auto facts = tx.group_facts();
        REQUIRE(facts.size() == 1);
        CHECK(facts[0].members == 1);
    });
    CHECK(change([&](Transaction& tx) { return tx.advance_group_schedule(schedule.id, 100, 200); }));
    CHECK_FALSE(change([&](Transaction& tx) { return tx.advance_group_schedule(schedule.id, 100, 300); }));

    // Held: nobody claims it, nobody is woken for it. A move is compare-and-set on holder and attempt.
    const auto claim = [&](const Server& server) {
        return change([&](Transaction& tx) { return tx.claim_job(server.uuid, 20, 50).has_value(); });
    };
    CHECK_FALSE(claim(first));
    store->read([&](Transaction& tx) { CHECK(tx.find_waiting_agent(first.token_hash)->work == 0); });
    const JobMove nobody;
    CHECK(change([&](Transaction& tx) { return tx.move_job(job, first.uuid, nobody, 20); }));
    CHECK_FALSE(change([&](Transaction& tx) { return tx.move_job(job, second.uuid, nobody, 20); }));
    CHECK_FALSE(claim(second));
    CHECK(claim(first));
    const Job claimed = job_now();
    CHECK(claimed.attempts == 1);
    CHECK_FALSE(change([&](Transaction& tx) { return tx.settle_job(claimed); }));  // somebody holds it
    const JobMove move{job.id, first.uuid, 30, 1, "it failed"};
    CHECK(change([&](Transaction& tx) { return tx.move_job(claimed, second.uuid, move, 30); }));
    CHECK_FALSE(change([&](Transaction& tx) { return tx.move_job(claimed, first.uuid, move, 30); }));
    CHECK_FALSE(change([&](Transaction& tx) { return tx.renew_job(job.id, first.uuid, 1, 90, {}); }));
    CHECK(job_now().attempts_before == 1);
    CHECK(job_now().given == 30);
    CHECK(claim(second));
    CHECK(job_now().attempts == 2);
    store->read([&](Transaction& tx) {
        REQUIRE(tx.list_job_moves(job.id).size() == 1);
        CHECK(tx.list_job_moves(job.id).at(0).reason == "it failed");
        CHECK(tx.queued_group_jobs().empty());
    });
    // Its holder is retired: it waits for another.
    CHECK(change([&](Transaction& tx) { return tx.retire_server(second.uuid, 40); }));
    CHECK(job_now().state == JobState::queued);
    CHECK(job_now().held == 1);
    CHECK(members("other") == 0);
    // The first one had made it after all.
    Job done = job_now();
    done.server = first.uuid;
    done.set = "set";
    done.finished = 60;
    CHECK(change([&](Transaction& tx) { return tx.settle_job(done); }));
    CHECK_FALSE(change([&](Transaction& tx) { return tx.settle_job(done); }));
    CHECK(job_now().state == JobState::succeeded);
    CHECK(job_now().server == first.uuid);
    CHECK(change(
        [&](Transaction& tx) { return tx.remove_group_schedule(alice.fingerprint, "shop", "backup"); }));
    CHECK_FALSE(change(
        [&](Transaction& tx) { return tx.remove_group_schedule(alice.fingerprint, "shop", "backup"); }));
}

}  // namespace strongroom::test
