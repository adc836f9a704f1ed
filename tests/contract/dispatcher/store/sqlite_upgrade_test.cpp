// A database of the first schema (made by the statements that version used) is upgraded in place.
#include <sqlite3.h>

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "dispatcher/audit/chain.hpp"
#include "dispatcher/store/sqlite/instance_lock.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "tests/contract/dispatcher/store/store_contract.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;

namespace {

void change_by_sql(const std::filesystem::path& path, const std::string& sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    char* problem = nullptr;
    const int result = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &problem);
    INFO((problem != nullptr ? problem : ""));
    REQUIRE(result == SQLITE_OK);
    sqlite3_close(database);
}

struct OldDatabase {
    TempDir folder;
    std::filesystem::path path = folder.path() / "d.sqlite";

    OldDatabase() {
        write_file_atomic(path, "");
        change_by_sql(path, read_file(STRONGROOM_SOURCE_DIR "/tests/contract/dispatcher/store/schema_1.sql",
                                      1U << 20U));
    }
};

}  // namespace

TEST_CASE("sqlite store: a database of schema 1 is upgraded and keeps everything") {
    OldDatabase old;
    const auto store = SqliteStore::open(old.path);
    ChainCheck check;
    store->transact([&](Transaction& tx) {
        REQUIRE(tx.list_users().size() == 1);
        CHECK(tx.list_users().front().name == "alice");
        const auto servers = tx.list_servers(std::string(40, 'A'));
        REQUIRE(servers.size() == 1);
        CHECK(servers.front().last_seen == 1200);
        CHECK(tx.list_escrow(servers.front().uuid).size() == 1);
        CHECK(tx.list_backups(servers.front().uuid, 10).size() == 1);
        CHECK(tx.list_jobs(servers.front().uuid, 10).size() == 2);
        tx.touch_presence({servers.front().uuid}, 5000);
        CHECK(tx.find_server(servers.front().uuid)->last_seen == 5000);
        const auto facts = tx.server_facts();
        REQUIRE(facts.size() == 1);
        CHECK(facts[0].last_seen == 5000);
        CHECK(facts[0].escrowed == 1);
        CHECK(facts[0].escrow_deposited > 0);
        CHECK(facts[0].proven == 0);
        CHECK(facts[0].cron == "0 3 * * *");
        CHECK(facts[0].last_backup == 1300);
        CHECK(facts[0].last_job_state == "failed");
        tx.append_audit({"new", 0, 9, "", "operator", "user.add", "", "ok", "after the upgrade", ""});
        for (const auto& entry : tx.audit_after(0, 100)) check.next(entry);
    });
    CHECK(check.finish().empty());
    CHECK(check.count() == 4);
    store->read([&](Transaction& tx) { CHECK(tx.audit_after(1, 1).at(0).text == "two, \"quoted\""); });
}

TEST_CASE("sqlite store: an upgrade makes the views anew") {
    const TempDir folder;
    const auto path = folder.path() / "dispatcher.db";
    write_file_atomic(path, "");
    SqliteStore::open(path);
    change_by_sql(
        path,
        "DROP VIEW server_facts; DROP VIEW group_members; DROP VIEW group_facts; DROP VIEW waiting_agents; "
        "DROP INDEX backups_proven; DROP INDEX backups_not_proven; "
        "DROP INDEX full_backups_by_report; "
        "ALTER TABLE backups DROP COLUMN removed; ALTER TABLE backups DROP COLUMN proven; "
        "ALTER TABLE backups DROP COLUMN proof_failed; ALTER TABLE backups DROP COLUMN proof_text; "
        "ALTER TABLE backups DROP COLUMN proof_by; "
        "DROP VIEW servers_seen; DROP TABLE user_statements; "
        "DROP TABLE identity_changes; "
        "DROP TABLE server_states; DROP TABLE group_schedules; DROP TABLE job_moves; DROP INDEX "
        "jobs_of_groups; "
        "ALTER TABLE jobs DROP COLUMN grp; ALTER TABLE jobs DROP COLUMN held; "
        "ALTER TABLE jobs DROP COLUMN given; ALTER TABLE jobs DROP COLUMN attempts_before; "
        "ALTER TABLE servers DROP COLUMN recovery_sequence; "
        "CREATE VIEW server_facts AS SELECT 1 AS uuid; "
        "DROP INDEX other_jobs_ended; DROP TABLE key_changes; DROP TABLE key_pins; "
        "DROP TABLE escrow_requests; DROP TABLE server_verifiers; PRAGMA user_version = 6");
    SqliteStore::open(path)->read([&](Transaction& tx) { CHECK(tx.server_facts().empty()); });
}

TEST_CASE(
    "sqlite store: proofs of schema 14 are kept as their own host's, and nobody is named to make others") {
    const TempDir folder;
    const auto path = folder.path() / "dispatcher.db";
    write_file_atomic(path, "");
    const User alice = test::sample_user('A');
    const Server server = test::sample_server(alice, 'C');
    SqliteStore::open(path)->transact([&](Transaction& tx) {
        tx.add_user(alice);
        tx.add_server(server);
        for (const char* set : {"20261122T013700Z-00000001", "20261122T013700Z-00000002"}) {
            Backup backup;
            backup.set = set;
            backup.server = server.uuid;
            backup.kind = "full";
            tx.put_backup(backup);
        }
        tx.put_restore_proof({server.uuid, "20261122T013700Z-00000001", true, 20, "good", ""});
        tx.put_restore_proof({server.uuid, "20261122T013700Z-00000002", false, 10, "bad", ""});
    });
    change_by_sql(
        path,
        "DROP VIEW server_facts; DROP TABLE server_verifiers; ALTER TABLE backups DROP COLUMN proof_by; "
        "PRAGMA user_version = 14");
    const auto store = SqliteStore::open(path);
    store->transact([&](Transaction& tx) {
        CHECK(tx.last_proven_backup(server.uuid)->proof_text == "good");
        CHECK(tx.last_proven_backup(server.uuid)->proof_by.empty());
        CHECK(tx.server_facts().at(0).restore_failed_text == "bad");
        CHECK(tx.server_facts().at(0).restore_failed_by.empty());
        CHECK_FALSE(tx.find_verifiers(server.uuid));
        tx.put_verifiers({server.uuid, {std::string(40, 'D')}});
        CHECK(tx.find_verifiers(server.uuid)->fingerprints.size() == 1);
    });
}

TEST_CASE("sqlite store: a command does not upgrade beneath a dispatcher that serves") {
    OldDatabase old;
    {
        const auto serving = InstanceLock::take(old.path);
        CHECK_THROWS_AS(SqliteStore::open(old.path, SqliteStore::Use::command), Error);
        const auto upgraded = SqliteStore::open(old.path);  // as the one that serves does
    }
    CHECK_NOTHROW(SqliteStore::open(old.path, SqliteStore::Use::command));
}

TEST_CASE("sqlite store: one lock for one file, whatever link leads to it") {
    OldDatabase old;
    const auto link = old.folder.path() / "link.sqlite";
    std::filesystem::create_symlink(old.path, link);
    CHECK_FALSE(InstanceLock::is_held(link));
    {
        const auto held = InstanceLock::take(old.path);
        CHECK(InstanceLock::is_held(link));
        CHECK_FALSE(InstanceLock::try_take(link));
        try {
            InstanceLock::take(link);
            FAIL("taken twice");
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::busy);
            CHECK(error.text().find(std::to_string(::getpid())) != std::string::npos);
        }
    }
    CHECK_FALSE(InstanceLock::is_held(old.path));
}
