#include "dispatcher/store/sqlite/sqlite_store.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "tests/contract/dispatcher/store/store_contract.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;

namespace {

struct Database {
    TempDir folder{{}, "with blank "};  // a path that needs quoting
    std::filesystem::path path = folder.path() / "d.sqlite";
    test::OpenStore open = [this]() -> std::unique_ptr<Store> {
        return std::filesystem::exists(path) ? SqliteStore::open(path) : SqliteStore::create(path);
    };
};

void run_sql(const std::filesystem::path& path, const char* sql, bool expect_failure = false) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    const int result = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
    CHECK((result != SQLITE_OK) == expect_failure);
    sqlite3_close(database);
}

Error failure_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error;
    }
    return Error(ErrorKind::internal, "no error");
}

}  // namespace

TEST_CASE("sqlite store: the contract") {
    Database database;
    SECTION("peers") {
        test::check_peers(database.open);
    }
    SECTION("codes") {
        test::check_codes(database.open);
    }
    SECTION("schedules") {
        test::check_schedules(database.open);
    }
    SECTION("groups") {
        test::check_groups(database.open);
    }
    SECTION("jobs") {
        test::check_jobs(database.open);
    }
    SECTION("failed jobs") {
        test::check_failed_jobs(database.open);
    }
    SECTION("statements") {
        test::check_statements(database.open);
    }
    SECTION("verifiers") {
        test::check_verifiers(database.open);
    }
    SECTION("ledger") {
        test::check_ledger(database.open);
    }
    SECTION("transactions") {
        test::check_transactions(database.open);
    }
    SECTION("transactions of many threads, some refused") {
        test::check_mixed_transactions(database.open);
    }
    SECTION("concurrent claims") {
        test::check_concurrent_claims(database.open);
    }
}

TEST_CASE("sqlite store: a newer schema is refused and not touched") {
    Database database;
    database.open();
    run_sql(database.path, "PRAGMA user_version = 99");
    const Error error = failure_of([&] { SqliteStore::open(database.path); });
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(error.text().find("schema version 99") != std::string::npos);
    CHECK_FALSE(error.hint().empty());
    run_sql(database.path, "SELECT count(*) FROM users");
    run_sql(database.path, "PRAGMA user_version = -1");
    CHECK(failure_of([&] { SqliteStore::open(database.path); }).kind() == ErrorKind::refused);
}

TEST_CASE("sqlite store: files that are open to others, missing, taken or damaged") {
    Database database;
    CHECK(failure_of([&] { SqliteStore::open(database.path); }).kind() == ErrorKind::not_found);
    database.open();
    struct stat info {};
    REQUIRE(::stat(database.path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK(failure_of([&] { SqliteStore::create(database.path); }).kind() == ErrorKind::exists);
    for (const mode_t mode : {0620, 0602, 0640, 0666}) {
        REQUIRE(::chmod(database.path.c_str(), mode) == 0);
        CHECK(failure_of([&] { SqliteStore::open(database.path); }).kind() == ErrorKind::insecure_file);
    }
    const auto broken = database.folder.path() / "broken.sqlite";
    write_file_atomic(broken, std::string(8192, 'x'));
    CHECK(failure_of([&] { SqliteStore::open(broken); }).kind() == ErrorKind::corrupt);
}

TEST_CASE("sqlite store: audit log and escrow records are append-only in the database itself") {
    Database database;
    const auto store = database.open();
    test::check_ledger(database.open);
    run_sql(database.path, "UPDATE audit SET text = 'x'", true);
    run_sql(database.path, "DELETE FROM audit", true);
    run_sql(database.path, "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 1", true);
    run_sql(database.path,
            "INSERT INTO audit SELECT seq + 10, id || 'x', time, owner, actor, action, object, outcome, "
            "text, hash "
            "FROM audit WHERE seq = 1",
            true);
    run_sql(database.path, "UPDATE escrow SET record = 'x'", true);
    run_sql(database.path, "DELETE FROM escrow", true);
}

TEST_CASE("sqlite store: commits are synced, in a write-ahead log") {
    Database database;
    const auto store = database.open();
    store->transact([](Transaction& tx) { tx.add_user(test::sample_user('A')); });
    CHECK(std::filesystem::exists(database.path.string() + "-wal"));
}
