#include <catch2/catch.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "tests/contract/dispatcher/store/store_contract.hpp"

namespace strongroom::test {

using namespace strongroom::dispatcher;

void check_statements(const OpenStore& open) {
    const auto store = open();
    const User alice = sample_user('A');
    const Server server = sample_server(alice, 'C');
    const Server other = sample_server(alice, 'D');
    const auto statement = [&](const char* text, std::int64_t sent) {
        return UserStatement{server.uuid, sha256_hex(text), alice.fingerprint, text, sent, "pending", 0, ""};
    };
    const auto works = [&](Transaction& tx, const Server& of) {
        return tx.find_waiting_agent(of.token_hash)->work != 0;
    };
    store->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_server(server);
        tx.add_server(other);
    });
    store->read([&](Transaction& tx) { CHECK_FALSE(works(tx, server)); });
    store->transact([&](Transaction& tx) { tx.add_statement(statement("one", 10)); });
    store->read([&](Transaction& tx) {
        CHECK(works(tx, server));
        CHECK_FALSE(works(tx, other));
    });
    store->transact([&](Transaction& tx) { tx.add_statement(statement("two", 20)); });  // takes its place
    store->read([&](Transaction& tx) {
        CHECK(tx.pending_statement(server.uuid)->statement == "two");
        CHECK_FALSE(tx.pending_statement(other.uuid));
    });
    CHECK_THROWS_AS(store->transact([&](Transaction& tx) { tx.add_statement(statement("one", 30)); }), Error);
    bool ended = false;
    bool again = true;
    bool replaced = true;
    store->transact([&](Transaction& tx) {
        UserStatement answer = statement("two", 20);
        answer.state = "applied";
        answer.ended = 25;
        answer.text = "change 1";
        ended = tx.end_statement(answer);
        again = tx.end_statement(answer);
        answer.sha256 = sha256_hex("one");
        replaced = tx.end_statement(answer);
    });
    CHECK(ended);
    CHECK_FALSE(again);
    CHECK_FALSE(replaced);
    store->read([&](Transaction& tx) {
        CHECK_FALSE(works(tx, server));
        CHECK_FALSE(tx.pending_statement(server.uuid));
        const auto all = tx.list_statements(server.uuid, 10);
        REQUIRE(all.size() == 2);
        CHECK(all[0].text == "change 1");
        CHECK(all[0].ended == 25);
        CHECK(all[1].state == "replaced");
        CHECK(tx.list_statements(server.uuid, 1).size() == 1);
        CHECK(tx.find_statement(server.uuid, sha256_hex("one"))->sent == 10);
        CHECK_FALSE(tx.find_statement(other.uuid, sha256_hex("one")));
    });
}

void check_ledger(const OpenStore& open) {
    const auto store = open();
    const User alice = sample_user('A');
    const Server server = sample_server(alice, 'C');
    Bytes any_bytes;
    for (int i = 0; i < 256; ++i) any_bytes += static_cast<char>(i);
    EscrowRecord first{random_uuid(), server.uuid, server.subkey, server.recovery, sha256_hex("1"),
                       "MQ==",        10};
    EscrowRecord second{random_uuid(), server.uuid, server.subkey, server.recovery, sha256_hex("2"),
                        "Mg==",        10};
    Backup backup;
    backup.set = "20261122T013700Z-3f9a2c1b";
    backup.server = server.uuid;
    backup.kind = "full";
    backup.plain_bytes = INT64_C(1) << 50;
    backup.reported = 70;
    store->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_server(server);
        tx.append_escrow(first);
        tx.append_escrow(second);
        tx.put_backup(backup);
        tx.put_backup(backup);  // reported twice
        tx.add_reply(alice.fingerprint, "id-1", 100, {"digest", any_bytes});
        tx.append_audit(
            {random_uuid(), 0, 1, alice.fingerprint, "actor", "action", "object", "ok", "one", ""});
        tx.append_audit(
            {random_uuid(), 0, 1, alice.fingerprint, "actor", "action", "object", "ok", "two", ""});
    });
    store->read([&](Transaction& tx) {
        REQUIRE(tx.list_escrow(server.uuid).size() == 2);
        CHECK(tx.list_escrow(server.uuid).front().id == second.id);  // newest first
        CHECK(tx.list_escrow(server.uuid).front().recipients == server.recovery);
        CHECK(tx.find_escrow(server.uuid, server.subkey, first.sha256)->record == "MQ==");
        const auto facts = tx.server_facts().at(0);
        CHECK(facts.subkey_since == first.deposited);
        CHECK(facts.escrow_deposited == second.deposited);
        CHECK(facts.rotates == 0);
        REQUIRE(tx.list_backups(server.uuid, 10).size() == 1);
        CHECK(tx.list_backups(server.uuid, 10).front().plain_bytes == INT64_C(1) << 50);
        CHECK(tx.server_facts().at(0).last_backup == 70);
        REQUIRE(tx.find_reply(alice.fingerprint, "id-1"));
        CHECK(tx.find_reply(alice.fingerprint, "id-1")->reply == any_bytes);
        CHECK(tx.find_reply(alice.fingerprint, "id-1")->digest == "digest");
        CHECK_FALSE(tx.find_reply(alice.fingerprint, "id-2"));
        CHECK_FALSE(tx.find_reply("other", "id-1"));
        REQUIRE(tx.list_audit(alice.fingerprint, 10).size() == 2);
        CHECK(tx.list_audit(alice.fingerprint, 10).front().text == "two");
        CHECK(tx.list_audit(alice.fingerprint, 10).front().seq == 2);
        CHECK(tx.list_audit("other", 10).empty());
    });
    store->transact([&](Transaction& tx) {
        tx.put_schedule({random_uuid(), server.uuid, "rotate", "0 4 1 */3 *", 60, 1, 5, 1000});
    });
    store->read([&](Transaction& tx) { CHECK(tx.server_facts().at(0).rotates == 1); });
    store->transact([&](Transaction& tx) {  // proofs by restoring: the last one of a set counts
        CHECK_FALSE(tx.last_proven_backup(server.uuid));
        CHECK_FALSE(
            tx.put_restore_proof({server.uuid, "20261122T013700Z-00000000", true, 10, "unknown", ""}));
        CHECK_FALSE(tx.put_restore_proof({random_uuid(), backup.set, true, 10, "another server's", ""}));
        CHECK(tx.put_restore_proof({server.uuid, backup.set, true, 20, "good", ""}));
        CHECK_FALSE(tx.put_restore_proof({server.uuid, backup.set, true, 20, "told again", ""}));
        CHECK(tx.last_proven_backup(server.uuid)->proof_text == "good");
        CHECK(tx.server_facts().at(0).restored == 20);
        CHECK(tx.put_restore_proof({server.uuid, backup.set, false, 30, "bad", ""}));
        CHECK_FALSE(tx.put_restore_proof({server.uuid, backup.set, true, 25, "an older one comes late", ""}));
        CHECK_FALSE(tx.last_proven_backup(server.uuid));
        CHECK(tx.last_unproven_backup(server.uuid)->proof_failed == 30);
        CHECK(tx.server_facts().at(0).restored == 0);
        CHECK(tx.server_facts().at(0).restore_failed == 30);
        CHECK(tx.server_facts().at(0).restore_failed_text == "bad");
    });
    store->transact([&](Transaction& tx) {  // removed from the store: known, and not listed
        CHECK_FALSE(tx.remove_backup(server.uuid, "20261122T013700Z-00000000", 80));
        CHECK_FALSE(tx.remove_backup(random_uuid(), backup.set, 80));
        CHECK(tx.remove_backup(server.uuid, backup.set, 80));
        CHECK_FALSE(tx.remove_backup(server.uuid, backup.set, 90));
        CHECK(tx.knows_backup(server.uuid, backup.set));
        CHECK_FALSE(tx.knows_backup(server.uuid, "20261122T013700Z-00000000"));
        CHECK_FALSE(tx.knows_backup(random_uuid(), backup.set));
        CHECK_FALSE(tx.put_backup(backup));  // reported late
        CHECK(tx.list_backups(server.uuid, 10).empty());
        CHECK(tx.server_facts().at(0).last_backup == 0);
        CHECK(tx.server_facts().at(0).restore_failed == 0);
        CHECK_FALSE(tx.put_restore_proof({server.uuid, backup.set, true, 100, "of what is gone", ""}));
    });
    CHECK_THROWS_AS(store->transact([&](Transaction& tx) {
        tx.add_reply(alice.fingerprint, "id-1", 1, {"d", "r"});
    }),
                    Error);
    store->transact([&](Transaction& tx) { tx.forget_replies(100); });
    store->read([&](Transaction& tx) { CHECK(tx.find_reply(alice.fingerprint, "id-1")); });
    store->transact([&](Transaction& tx) { tx.forget_replies(101); });
    store->read([&](Transaction& tx) { CHECK_FALSE(tx.find_reply(alice.fingerprint, "id-1")); });
}

void check_transactions(const OpenStore& open) {
    const auto store = open();
    const User alice = sample_user('A');
    CHECK_THROWS_AS(store->transact([&](Transaction& tx) {
        tx.add_user(alice);
        throw Error(ErrorKind::refused, "in the middle");
    }),
                    Error);
    store->read([&](Transaction& tx) { CHECK(tx.list_users().empty()); });  // nothing happened
    CHECK_THROWS_AS(store->read([&](Transaction& tx) { tx.add_user(alice); }), Error);
    store->transact([&](Transaction& tx) { tx.add_user(alice); });  // and the store still works
    open()->read([&](Transaction& tx) { CHECK(tx.list_users().size() == 1); });
}

// Writers of many threads, half of them refused in the middle: each hears of its own fate, and only what was
// acknowledged is there.
void check_mixed_transactions(const OpenStore& open) {
    constexpr int threads_count = 16;
    constexpr int each = 25;
    const auto store = open();
    std::mutex mutex;
    std::set<std::string> acknowledged;
    std::vector<std::string> problems;
    const auto write = [&](int thread) {
        for (int i = 0; i < each; ++i) {
            const bool refused = (thread + i) % 2 == 0;
            const std::string id = random_uuid();
            std::string outcome = "ok";
            try {
                store->transact([&](Transaction& tx) {
                    tx.append_audit({id, 0, 1, "owner", "actor", "action", "object", "ok", "text", ""});
                    if (refused) throw Error(ErrorKind::refused, id);
                });
            } catch (const Error& error) {
                outcome = error.kind() == ErrorKind::refused ? error.text() : "other: " + error.text();
            }
            const std::lock_guard lock(mutex);
            if (outcome != (refused ? id : "ok")) problems.push_back(outcome);
            if (!refused) acknowledged.insert(id);
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < threads_count; ++i) threads.emplace_back(write, i);
    for (auto& thread : threads) thread.join();
    for (const auto& problem : problems) FAIL_CHECK(problem);
    open()->read([&](Transaction& tx) {
        std::set<std::string> kept;
        std::set<std::int64_t> numbers;
        for (const auto& entry : tx.list_audit("owner", 1000)) {
            kept.insert(entry.id);
            numbers.insert(entry.seq);
        }
        CHECK(kept == acknowledged);
        CHECK(numbers.size() == acknowledged.size());
        CHECK(*numbers.rbegin() == static_cast<std::int64_t>(acknowledged.size()));  // no gaps
    });
}

// Threads of two programs hammer one server's queue: each job is claimed exactly once.
void check_concurrent_claims(const OpenStore& open) {
    constexpr int jobs = 120;
    constexpr int threads_each = 4;
    const auto one = open();
    const auto two = open();
    const User alice = sample_user('A');
    const Server server = sample_server(alice, 'C');
    one->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_server(server);
        for (int i = 0; i < jobs; ++i) tx.add_job(sample_job(server.uuid, i));
    });
    std::mutex mutex;
    std::multiset<std::string> claimed;
    std::vector<std::string> problems;
    const auto hammer = [&](Store& store) {
        try {
            while (true) {
                std::optional<Job> job;
                store.transact([&](Transaction& tx) { job = tx.claim_job(server.uuid, 1000, 2000); });
                if (!job) return;
                const std::lock_guard lock(mutex);
                claimed.insert(job->id);
            }
        } catch (const std::exception& error) {
            const std::lock_guard lock(mutex);
            problems.emplace_back(error.what());
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < threads_each; ++i) {
        threads.emplace_back([&] { hammer(*one); });
        threads.emplace_back([&] { hammer(*two); });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& problem : problems) FAIL_CHECK(problem);
    CHECK(claimed.size() == jobs);
    CHECK(std::set<std::string>(claimed.begin(), claimed.end()).size() == jobs);
    one->read([&](Transaction& tx) {
        for (const auto& job : tx.list_jobs(server.uuid, 1000))
            if (job.attempts != 1) FAIL_CHECK("claimed " << job.attempts << " times");
    });
}

}  // namespace strongroom::test
