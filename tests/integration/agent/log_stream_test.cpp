// Streaming the binary log of a real database: what was committed is in the store byte for byte, through
// restarts and crashes of everybody, and whatever breaks the chain is noticed.
#include "agent/logs/log_stream.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "agent/logs/full_backup_wish.hpp"
#include "common/backupset/log_chain.hpp"
#include "common/backupset/opener.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/encoding.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/streams.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace strongroom::test;
using namespace std::chrono_literals;

namespace {

struct LogHost : RegisteredHost {
    LogHost() {
        config.log.stream = true;
        config.log.interval = 1;
        config.log.piece_size = 1 << 20;
        config.mysql_option_file =
            database.option_file("low", "RELOAD, PROCESS, BINLOG MONITOR, REPLICATION SLAVE ON *.*");
        config.source = "mariadb-backup";
        database.run_sql(
            "CREATE DATABASE shop; CREATE TABLE shop.t (a INT PRIMARY KEY, b LONGTEXT) ENGINE=InnoDB; "
            "CREATE TABLE shop.u (a INT)");
    }

    bool wants_full_backup() const { return wish(clock.now()).has_value(); }
    std::optional<FullBackupWish> wish(UtcTime now) const {
        return full_backup_wish(config, state.logs(), state.runs(), now);
    }
    LogProgress at() const { return state.logs().at.value_or(LogProgress{}); }
    ServerLog server() const { return ask_server_log(config.mysql_option_file); }

    bool is_all_stored() const {
        const ServerLog now = server();
        return at().file == now.file && at().sealed == now.offset;
    }

    template <class Condition>
    void wait_for(const char* what, Condition condition) const {
        const auto ends = std::chrono::steady_clock::now() + 60s;  // a retry may come only then
        while (!condition()) {
            if (std::chrono::steady_clock::now() > ends) {
                const auto logs = state.logs();
                FAIL("waited in vain for " << what << "; " << to_json(logs).dump());
            }
            std::this_thread::sleep_for(50ms);
        }
    }

    // Streams while this lives.
    struct Running {
        explicit Running(const LogHost& host)
            : thread([&host](const std::stop_token& stop) { LogStream(host.host(), stop).run(); }) {}
        std::jthread thread;
    };
    void stream_all() const {
        const Running running(*this);
        wait_for("all to be stored", [&] { return is_all_stored(); });
    }

    backupset::LogPath path(const backupset::LogPoint& from) const {
        const auto from_store = store();
        return backupset::read_log_path(*from_store, agent.server, state.signers(), from, clock.now(),
                                        [](const auto&) { return false; });
    }

    // The files that the pieces of a path make.
    std::map<std::string, Bytes> files(const backupset::LogPath& path) const {
        const auto from_store = store();
        const gpg::Home home = gpg::Home::use(state.own_home());
        std::map<std::string, Bytes> out;
        for (const auto& piece : path.pieces) {
            CollectingTarget plain;
            backupset::open_set({1}, piece, *from_store, home, plain);
            Bytes& file = out[piece.log->file];
            CHECK(static_cast<std::int64_t>(file.size()) == piece.log->first);
            file += plain.bytes;
            CHECK(static_cast<std::int64_t>(file.size()) == piece.log->last);
        }
        return out;
    }

    // As the server has it; the flag that it is in use (of the first event, docs: LOG_EVENT_BINLOG_IN_USE_F)
    // is not sent to replicas.
    Bytes of_server(const std::string& file) const {
        Bytes out = read_file(database.folder() / file, 1U << 30U);
        out[21] = static_cast<char>(out[21] & ~1);
        return out;
    }

    MariadbServer database;
};

}  // namespace

TEST_CASE("log stream: what was committed is in the store, byte for byte") {
    LogHost host;
    CHECK_FALSE(host.wants_full_backup());
    {
        const LogHost::Running running(host);
        host.wait_for("the first piece", [&] { return host.is_all_stored(); });
        CHECK(host.wants_full_backup());
        const auto before = host.at();
        host.wait_for("an idle server's time", [&] { return host.at().covered > before.covered; });
        CHECK(host.at().piece == before.piece);  // nothing was written: no piece
        host.database.run_sql(
            "SET SESSION binlog_format=STATEMENT; INSERT INTO shop.t VALUES (1, 'one'); FLUSH BINARY LOGS;"
            "INSERT INTO shop.t SELECT seq, REPEAT('x', 20000) FROM shop.seq_100_to_250;"  // 3 MB at once
            "BEGIN; INSERT INTO shop.t VALUES (2, 'two'); INSERT INTO shop.t VALUES (3, 'three'); COMMIT");
        host.wait_for("all to be stored", [&] { return host.is_all_stored(); });
    }
    const auto first = host.at();
    CHECK(first.gtid == host.database.run_sql("SELECT @@gtid_binlog_pos").substr(0, first.gtid.size()));

    // The agent is away; the server goes on, restarts and crashes.
    host.database.run_sql(
        "INSERT INTO shop.t VALUES (4, 'four'); FLUSH BINARY LOGS; INSERT INTO shop.t VALUES (5, '')");
    host.database.stop();
    host.database.start();
    host.database.run_sql("INSERT INTO shop.t VALUES (6, 'six')");
    host.stream_all();
    host.database.run_sql("INSERT INTO shop.t VALUES (7, 'seven')");
    {
        const LogHost::Running running(host);
        host.wait_for("all to be stored", [&] { return host.is_all_stored(); });
        host.database.run_sql("INSERT INTO shop.t VALUES (8, 'eight')");
        host.database.kill();
        host.database.start();
        host.database.run_sql("INSERT INTO shop.t VALUES (9, 'nine')");
        host.wait_for("all to be stored after a crash of the server", [&] { return host.is_all_stored(); });
    }
    CHECK_FALSE(host.state.logs().gap);
    CHECK(std::filesystem::is_empty(host.state.log_folder()));

    const auto path = host.path({"b.000001", 4});
    REQUIRE(path.pieces.size() > 6);
    CHECK(path.ends == "it is the newest piece in the store");
    CHECK(path.pieces.back().set == host.at().piece);
    std::optional<std::string> parent;
    for (const auto& piece : path.pieces) {
        CHECK(piece.parent == parent);
        parent = piece.set;
        CHECK(piece.log->server_id == 1);
    }
    const auto files = host.files(path);
    REQUIRE(files.size() == 5);
    for (const auto& [name, bytes] : files) CHECK(sha256_hex(bytes) == sha256_hex(host.of_server(name)));
    CHECK(host.at().gtid + "\n" == host.database.run_sql("SELECT @@gtid_binlog_pos"));
    // From a point in the middle: the file is whole from its start, and nothing before it.
    const auto later = host.path({"b.000002", path.pieces[2].log->last});
    REQUIRE_FALSE(later.pieces.empty());
    CHECK(later.pieces.front().log->file == "b.000002");
    CHECK(later.pieces.front().log->first == 0);
    CHECK(later.pieces.back().set == path.pieces.back().set);
    CHECK(host.path({"b.000009", 4}).pieces.empty());
}

TEST_CASE("log stream: killed at any moment, it goes on where it was") {
    LogHost host;
    for (int round = 0; round < 4; ++round) {
        host.database.run_sql("REPLACE INTO shop.t SELECT seq, UUID() FROM shop.seq_1_to_2000");
        killed_in_child([&] { LogStream(host.host(), {}).run(); }, 300ms + round * 250ms);
        if (round == 2) host.database.run_sql("FLUSH BINARY LOGS");
    }
    host.stream_all();
    // Between the commit of a piece and the note of it: the piece is made once more.
    const Bytes note = read_file(host.state.path() / "logs.json", 1U << 20U);
    host.database.run_sql("INSERT INTO shop.t VALUES (9000, 'twin')");
    host.stream_all();
    write_file_atomic(host.state.path() / "logs.json", note);
    host.stream_all();
    host.database.run_sql("INSERT INTO shop.t VALUES (9001, 'after')");
    host.stream_all();
    CHECK_FALSE(host.state.logs().gap);
    const auto path = host.path({"b.000001", 4});
    const auto logs = backupset::committed_logs(*host.store(), host.agent.server);
    CHECK(logs.size() > path.pieces.size());
    CHECK(path.pieces.back().set == host.at().piece);
    for (const auto& [name, bytes] : host.files(path))
        CHECK(sha256_hex(bytes) == sha256_hex(host.of_server(name)));
}

TEST_CASE("log stream: each break of the log is noticed, and a full backup asked for") {
    LogHost host;
    const auto next_second = [&] {  // events have whole seconds
        host.wait_for("the next second",
                      [&, until = host.clock.now() + 1100ms] { return host.clock.now() > until; });
    };
    host.stream_all();
    next_second();
    host.back_up();
    CHECK_FALSE(host.wants_full_backup());
    std::string last_piece = *host.at().piece;
    const auto expect_gap = [&](const std::string& why) {
        {
            const LogHost::Running running(host);
            host.wait_for("the gap", [&] {
                const auto gap = host.state.logs().gap;
                return gap && gap->text.find(why) != std::string::npos && host.at().piece &&
                       host.is_all_stored();
            });
        }
        const auto logs = host.state.logs();
        REQUIRE(logs.at);
        CHECK(*logs.at->piece != last_piece);
        last_piece = *logs.at->piece;
        const auto path = host.path({logs.at->file, 4});  // a chain of its own
        REQUIRE_FALSE(path.pieces.empty());
        CHECK_FALSE(path.pieces.front().parent);
        next_second();
    };

    host.database.run_sql("INSERT INTO shop.t VALUES (1, ''); FLUSH BINARY LOGS");
    host.wait_for("the purge, which the replica that was there holds up for a moment", [&] {
        host.database.run_sql("INSERT INTO shop.u VALUES (1); PURGE BINARY LOGS TO 'b.000002'");
        return host.server().find("b.000001") == nullptr;
    });
    expect_gap("the server has no b.000001 any more");
    CHECK(host.wants_full_backup());
    CHECK(host.wish(host.clock.now())->waits.empty());
    {
        host.config.backup_windows = {"01:00-05:00"};
        const auto outside = host.wish(parse_utc("2026-11-22T14:03:20Z"));
        CHECK(outside->since == from_millis(host.at().since));
        CHECK_THAT(outside->waits, Catch::Contains("at 2026-11-23T01:00:00Z"));
        CHECK(host.wish(parse_utc("2026-11-22T04:59:59Z"))->waits.empty());
        host.config.backup_windows.clear();
        const auto allowed = std::exchange(host.config.allow_kinds, {"incremental", "escrow"});
        CHECK_THAT(host.wish(host.clock.now())->text(), Catch::Contains("allow-kinds"));
        host.config.allow_kinds = allowed;
    }
    host.back_up();
    CHECK_FALSE(host.wants_full_backup());

    host.database.run_sql("RESET MASTER");
    expect_gap("the server has no b.000002 any more");
    CHECK(host.wants_full_backup());

    host.database.run_sql("RESET MASTER");  // the same name, and shorter
    host.database.run_sql("INSERT INTO shop.t VALUES (3, '')");
    host.stream_all();
    host.database.run_sql("INSERT INTO shop.t VALUES (4, REPEAT('4', 5000))");
    host.stream_all();
    last_piece = *host.at().piece;
    host.database.run_sql("RESET MASTER");
    expect_gap("b.000001 became shorter than what is stored of it");

    host.database.run_sql("RESET MASTER; INSERT INTO shop.t VALUES (5, REPEAT('5', 9000))");  // and longer
    expect_gap("b.000001 is not the file that was stored before");

    host.database.run_sql("SET GLOBAL server_id = 77");
    expect_gap("the server's id changed from 1 to 77");

    host.config.store = "file://" + (host.folder.path() / "other").string();
    std::filesystem::create_directory(host.folder.path() / "other");
    expect_gap("the store is another one");

    // While it runs.
    {
        const LogHost::Running running(host);
        host.wait_for("all to be stored", [&] { return host.is_all_stored(); });
        last_piece = *host.at().piece;
        host.database.run_sql("RESET MASTER; INSERT INTO shop.t VALUES (6, '6')");
        host.wait_for("the new chain", [&] {
            return host.at().piece && *host.at().piece != last_piece && host.is_all_stored();
        });
        CHECK(std::filesystem::exists(host.state.log_folder()));
    }
}

TEST_CASE("log stream: a store or server that is away costs nothing but time, and is told") {
    LogHost host;
    host.stream_all();
    const auto stored = host.folder.path() / host.config.store.substr(host.config.store.rfind('/') + 1);
    REQUIRE(std::filesystem::is_directory(stored));
    const auto aside = host.folder.path() / "aside";
    host.config.store_retries = 0;
    {
        std::filesystem::rename(stored, aside);
        std::ofstream(stored) << "no folder\n";
        host.database.run_sql("INSERT INTO shop.t VALUES (1, 'kept by the server')");
        const LogHost::Running running(host);
        host.wait_for("the problem", [&] { return host.state.logs().problem.has_value(); });
        std::filesystem::remove(stored);
        std::filesystem::rename(aside, stored);
        host.wait_for("all to be stored", [&] { return host.is_all_stored(); });
        CHECK_FALSE(host.state.logs().problem);
    }
    host.config.mysql_option_file = host.database.option_file("poor", "BINLOG MONITOR ON *.*");
    {
        host.database.run_sql("INSERT INTO shop.t VALUES (2, '')");
        const LogHost::Running running(host);
        host.wait_for("the problem", [&] { return host.state.logs().problem.has_value(); });
        CHECK_THAT(host.state.logs().problem->text, Catch::Contains("reading the binary log ended"));
    }
    CHECK_FALSE(host.state.logs().gap);
    CHECK(error_of([] { read_server_log("1\t2\t3\n"); }).kind() == ErrorKind::source);
    CHECK(error_of([] { read_server_log("x\t2\t3\nb.000001\t4\nb.000001\t4\n"); }).kind() ==
          ErrorKind::source);
    CHECK(error_of([] { read_server_log("1\t2\t3\n../b.000001\t4\nb.000001\t4\n"); }).kind() ==
          ErrorKind::config);
    CHECK(error_of([] { read_server_log("1\t2\t3\nb.000002\t4\nb.000001\t4\n"); }).kind() ==
          ErrorKind::source);
}
