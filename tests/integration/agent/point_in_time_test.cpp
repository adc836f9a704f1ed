// Point in time with a real database: a full backup, an increment, and its binary log in pieces; every target
// is reached to the transaction, or refused with the nearest points, and then nothing is left behind.
#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "client/restore/extract_logs.hpp"
#include "client/restore/restore_until.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/sealer.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "common/restore/private_server.hpp"
#include "common/restore/server_folder.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/streams.hpp"

using namespace strongroom;
using namespace strongroom::test;
using Catch::Matchers::Contains;

namespace {

struct LoggedHost : RegisteredHost {
    LoggedHost() {
        config.source = "mariadb-backup";
        config.mysql_option_file =
            database.option_file("low", "RELOAD, PROCESS, BINLOG MONITOR, SUPER ON *.*");
        database.run_sql("CREATE DATABASE shop; CREATE TABLE shop.t (a INT PRIMARY KEY, b VARCHAR(20))");
        std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));  // mysql must reach it
        std::filesystem::create_directory(targets());
    }

    std::string back_up(bool incremental) const {
        const FileLock lock = state.lock_backup();
        return run_backup(host(), {.job = {}, .schedule = {}, .slot = {}, .incremental = incremental}, lock,
                          {}, {})
            .set;
    }

    // The server's file, as it sends it: without the mark that it is in use.
    Bytes raw(const std::string& file) const {
        Bytes out = read_file(database.folder() / file, 16U << 20U);
        out[21] &= '\xfe';
        return out;
    }

    // Seals what came into `file` since the last piece.
    std::string seal_piece(const std::string& file, bool closes = false) {
        const Bytes bytes = raw(file);
        if (file != last_.file) last_ = {};
        binlog::Scanner scanner;
        scanner.add(bytes);
        backupset::LogPart part;
        part.file = file;
        part.first = last_.last;
        part.last = scanner.whole();
        if (closes) part.next = backupset::log_file_after(file);
        part.began = format_utc(*scanner.first());
        part.covered = format_utc(clock.now());
        part.gtid = binlog::text_of(scanner.gtids());
        part.server_id = 1;
        backupset::SealOptions options;
        options.server = agent.server;
        options.identity = agent.identity;
        options.log = part;
        if (!pieces.empty()) options.parent = pieces.back();
        options.stream = "binlog";
        options.source_tool = "mariadb-binlog";
        options.source_version = "of a test";
        BufferSource source(bytes.substr(static_cast<std::size_t>(part.first)));
        pieces.push_back(make_log_id(clock.now()));
        backupset::seal(options, pieces.back(), source, *store_, own, clock);
        last_ = part;
        return pieces.back();
    }

    // Returns within the first part of a second.
    UtcTime next_second() const {
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        std::this_thread::sleep_until(now + std::chrono::milliseconds(1010));
        return now + std::chrono::seconds(1);
    }

    std::string status() const {  // "b.000001\t1234"
        const auto row = database.run_sql("SHOW MASTER STATUS");
        return row.substr(0, row.find('\t', row.find('\t') + 1));
    }
    std::string gtid() const {
        auto out = database.run_sql("SELECT @@gtid_binlog_pos");
        out.pop_back();
        return out;
    }

    client::UntilResult restore(const restore::TargetPoint& target, const std::string& set = {},
                                bool load = false) {
        client::UntilOptions options{target, set, targets() / "data", load};
        const client::RecoveredHome recovered{agent.server, agent.identity, {}, {}};
        const client::RestoreFrom from{
            *store_, recovered, own, 0, {}, [](const std::string& line) { UNSCOPED_INFO(line); }};
        return client::restore_until(from, options);
    }

    // What the restored folder says; it is removed.
    std::string ask(const std::string& sql) {
        const auto data = targets() / "data";
        const TempDir run({}, "srrun");
        std::filesystem::permissions(run.path(), std::filesystem::perms(0755));
        std::filesystem::create_directory(run.path() / "tmp");
        restore::hand_over({data, run.path()});
        std::string out;
        {
            restore::PrivateServer server(data, run.path(), {});
            for (const auto& row : server.client().ask(sql))
                for (const auto& column : row) out += column + " ";
            server.stop();
        }
        std::filesystem::remove_all(data);
        return out;
    }
    std::string rows() { return ask("SELECT GROUP_CONCAT(b ORDER BY a) FROM shop.t;"); }

    Error refusal(const restore::TargetPoint& target, const std::string& set = {}) {
        try {
            restore(target, set);
        } catch (const Error& error) {
            CHECK(std::filesystem::is_empty(targets()));
            return error;
        }
        FAIL("it was restored");
        throw 0;
    }

    std::filesystem::path targets() const { return folder.path() / "to"; }

    MariadbServer database;
    std::unique_ptr<storage::ObjectStore> store_ = RegisteredHost::store();
    gpg::Home own = gpg::Home::use(state.own_home());
    std::vector<std::string> pieces;

  private:
    backupset::LogPart last_;
};

std::string place(std::string status) {
    std::ranges::replace(status, '\t', ':');
    return status;
}

}  // namespace

TEST_CASE(
    "point in time: exact to the transaction, whichever way it is named, else refused, and nothing left") {
    LoggedHost host;
    auto& db = host.database;
    const auto at = [](UtcTime time) { return restore::parse_until(format_utc(time)); };
    const auto full = host.back_up(false);
    const UtcTime before = host.next_second();
    host.next_second();
    db.run_sql("INSERT INTO shop.t VALUES (1, 'one')");
    const auto gtid_one = host.gtid();
    const auto place_one = host.status();
    host.seal_piece("b.000001");
    const UtcTime second = host.next_second();
    db.run_sql("INSERT INTO shop.t VALUES (2, 'two')");
    const auto gtid_two = host.gtid();
    db.run_sql("INSERT INTO shop.t VALUES (3, 'three')");
    const UtcTime third = host.next_second();
    db.run_sql("FLUSH BINARY LOGS; SET sql_log_bin = 0; CREATE TABLE shop.unlogged (a INT)");
    host.seal_piece("b.000001", true);
    const auto increment = host.back_up(true);
    const auto gtid_of_increment = host.gtid();
    db.run_sql(
        "INSERT INTO shop.t VALUES (4, 'four'); INSERT INTO shop.unlogged VALUES (7);"
        "CREATE USER bob@localhost IDENTIFIED BY 'x'; GRANT SELECT ON shop.* TO bob@localhost;"
        "CREATE ROLE readers; GRANT readers TO bob@localhost;"
        "CREATE EVENT shop.e ON SCHEDULE EVERY 1 SECOND DO INSERT INTO shop.t VALUES (NULL, 'event');"
        "CREATE TRIGGER shop.tr BEFORE INSERT ON shop.t FOR EACH ROW SET NEW.b = CONCAT(NEW.b, '!');"
        "CREATE PROCEDURE shop.p(x INT) INSERT INTO shop.t VALUES (x, 'called');"
        "CREATE TABLE shop.m (a INT) ENGINE=MyISAM; INSERT INTO shop.m VALUES (1), (2);"
        "SET SESSION binlog_format = STATEMENT; CALL shop.p(5); INSERT INTO shop.t VALUES (6, 'stated');"
        "CREATE TEMPORARY TABLE shop.tt (a INT); INSERT INTO shop.tt VALUES (8);"
        "INSERT INTO shop.t SELECT a, 'ü' FROM shop.tt;");
    const auto gtid_all = host.gtid();
    const auto place_all = host.status();
    host.seal_piece("b.000002");
    host.next_second();
    write_file_atomic(db.folder() / "tmp" / "in.csv", "9,loaded\n", 0644);
    give_to_mysql(db.folder() / "tmp");
    db.run_sql("SET SESSION binlog_format = STATEMENT; LOAD DATA INFILE '" +
               (db.folder() / "tmp" / "in.csv").string() + "' INTO TABLE shop.t FIELDS TERMINATED BY ','");
    const auto last_piece = host.seal_piece("b.000002");
    host.next_second();

    // By time, between the sets: up to the first transaction of that second.
    auto done = host.restore(at(second));
    CHECK(done.set == full);
    CHECK(done.gtid == gtid_one);
    CHECK(done.transactions == 1);
    CHECK(host.rows() == "one ");
    done = host.restore(restore::parse_until_gtid(gtid_two));
    CHECK(done.set == full);
    CHECK(done.transactions == 2);
    CHECK(host.rows() == "one,two ");

    // From the increment on, all kinds of statements; everything that was made is there, and nothing else.
    done = host.restore(restore::parse_until_position(place(place_all)));
    CHECK(done.set == increment);
    CHECK(done.gtid == gtid_all);
    CHECK(done.at.file == "b.000002");
    CHECK(
        host.ask("SELECT GROUP_CONCAT(b ORDER BY a) FROM shop.t; SELECT COUNT(*) FROM shop.m, shop.unlogged;"
                 "SELECT Name, Status FROM mysql.event; SELECT COUNT(*) FROM information_schema.TRIGGERS;"
                 "SELECT GROUP_CONCAT(DISTINCT User ORDER BY User) FROM mysql.global_priv WHERE User LIKE "
                 "'bob%' OR User LIKE 'strong%'; SELECT User FROM mysql.roles_mapping;"
                 "SELECT COUNT(*) FROM mysql.proxies_priv WHERE User LIKE 'strong%';") ==
        "one,two,three,four,called!,stated!,ü! 2 e ENABLED 1 bob bob 0 ");

    // At the set itself nothing is replayed.
    done = host.restore(restore::parse_until_gtid(gtid_of_increment));
    CHECK(done.set == increment);
    CHECK(done.transactions == 0);
    CHECK(host.rows() == "one,two,three ");

    // Statements that read files need a word; the log goes on behind an older set, where one fails.
    CHECK(host.refusal({}).kind() == ErrorKind::refused);
    done = host.restore({}, {}, true);
    CHECK(host.rows() == "one,two,three,four,called!,stated!,ü!,loaded! ");
    const Error failed = host.refusal(restore::parse_until_gtid(gtid_all), full);
    CHECK(failed.kind() == ErrorKind::source);
    CHECK_THAT(failed.text(), Contains("unlogged"));

    // The files alone, from a set on.
    const client::RecoveredHome recovered{host.agent.server, host.agent.identity, {}, {}};
    const client::RestoreFrom from{*host.store_, recovered, host.own, 0, {}};
    const auto start = client::start_after(client::choose_set(from, full));
    const auto files = client::extract_logs(from, start, at(second), host.targets() / "logs");
    CHECK(files.transactions == 1);
    CHECK(read_file(host.targets() / "logs" / "b.000001", 1 << 20) ==
          host.raw("b.000001").substr(0, std::filesystem::file_size(files.files.at(0))));
    std::filesystem::remove_all(host.targets() / "logs");
    CHECK_THROWS_WITH(client::extract_logs(from, {{"b.000009", 4}, {}}, {}, host.targets() / "logs"),
                      Contains("cannot be reached from b.000009:4"));

    // What cannot be reached is refused with the nearest points, before anything is restored.
    Error error = host.refusal(at(before - std::chrono::hours(1)));
    CHECK(error.kind() == ErrorKind::not_found);
    CHECK_THAT(error.hint(), Contains("The earliest after it: --set " + full));
    error = host.refusal(restore::parse_until_gtid("0-1-1"));
    CHECK_THAT(error.hint(), Contains("--set " + full));
    error = host.refusal(at(host.clock.now() + std::chrono::hours(1)));
    CHECK_THAT(error.text(), Contains("newest piece"));
    CHECK_THAT(error.hint(), Contains("The farthest before it: --until ") && Contains("b.000002:"));
    error = host.refusal(
        restore::parse_until_position("b.000001:" + std::to_string(std::stoi(place_one.substr(9)) - 3)));
    CHECK_THAT(error.hint(), Contains("after it --until-position " + place(place_one)));
    error = host.refusal(restore::parse_until_gtid("0-2-" + gtid_one.substr(4)), full);
    CHECK_THAT(error.text(), Contains(gtid_one + " comes instead"));
    error = host.refusal(at(second), increment);
    CHECK_THAT(error.text(), Contains("set " + increment + " holds what was written"));

    // Pieces that are damaged, missing, of another signer or in another's place.
    const auto& store = host.store_;
    const auto with = [&](const std::string& key, const std::function<void(Bytes&)>& change,
                          const std::function<void()>& then) {
        const Bytes good(store->get(key, 16 << 20).view());
        Bytes bad = good;
        change(bad);
        bad.empty() ? store->remove(key) : store->put(key, bad);
        then();
        store->put(key, good);
    };
    const std::string& server = host.agent.server;
    const auto& second_piece = host.pieces.at(1);
    const auto manifest = backupset::manifest_key(server, second_piece);
    const auto until_two = restore::parse_until_gtid(gtid_two);
    with(
        backupset::segment_key(server, second_piece, 0), [](Bytes& b) { b[b.size() / 2] ^= 1; },
        [&] {
            error = host.refusal(until_two);
            CHECK(error.kind() == ErrorKind::corrupt);
            CHECK_THAT(error.text(), Contains(second_piece));
        });
    with(
        backupset::manifest_signature_key(server, second_piece), [](Bytes& b) { b.clear(); },
        [&] {
            error = host.refusal(until_two);  // a gap
            CHECK(error.kind() == ErrorKind::not_found);
            CHECK_THAT(error.hint(), Contains("GTID " + gtid_one) && Contains("--set " + increment));
            error = host.refusal(at(third));
            CHECK_THAT(error.hint(), Contains("--until 2") && Contains("--set " + increment));
        });
    with(
        manifest, [](Bytes& b) { b[b.find("\"covered\"") + 14] ^= 1; },
        [&] {
            error = host.refusal(until_two);
            CHECK_THAT(error.text(), Contains(second_piece));
        });
    with(
        backupset::manifest_signature_key(server, second_piece),
        [&](Bytes& b) {
            const auto stranger = gpg::generate_key(host.own, "stranger@test.invalid", "ed25519");
            b = gpg::sign_detached(host.own, stranger, store->get(manifest, 1 << 20).view());
        },
        [&] { CHECK_THAT(host.refusal(until_two).text(), Contains(second_piece)); });
    with(
        backupset::segment_key(server, second_piece, 0),
        [&](Bytes& b) { b = store->get(backupset::segment_key(server, last_piece, 0), 1 << 20).view(); },
        [&] { CHECK(host.refusal(until_two).kind() == ErrorKind::corrupt); });
    host.own.stop_daemons();
}
