// Tables and databases out of a real dump: into a file, through a command, into a running server.
#include <catch2/catch.hpp>

#include "client/restore/into_server.hpp"
#include "client/restore/physical_tables.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/process_streams.hpp"
#include "common/base/error.hpp"
#include "tests/integration/client/restore/escrowed_server.hpp"
#include "tests/support/mariadb_server.hpp"

using namespace strongroom;
using namespace strongroom::test;
using Catch::Matchers::Contains;
using client::IntoServer;
using restore::Selection;

namespace {

constexpr const char* tables_schema =
    "CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY, name TEXT, picture BLOB);"
    "INSERT INTO orders VALUES (1, '\\'); DROP TABLE `b`;\\n-- Table structure for table `evil`\\n', "
    "0x00ff27), "
    "(2, 'it''s \\\\', NULL);"
    "CREATE TABLE `we``ird; -- '\"` (a INT COMMENT '*/ '';'); INSERT INTO `we``ird; -- '\"` VALUES (1), (2);"
    "CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, what TEXT) PARTITION BY HASH (id) PARTITIONS 2;"
    "CREATE TABLE entries (id INT PRIMARY KEY, orders_id INT, FOREIGN KEY (orders_id) REFERENCES orders "
    "(id));"
    "INSERT INTO entries VALUES (1, 1), (2, 2); CREATE VIEW names AS SELECT name FROM orders;"
    "CREATE SEQUENCE numbers; CREATE DATABASE crm; CREATE TABLE crm.orders (i INT); INSERT INTO crm.orders "
    "VALUES "
    "(9);\nDELIMITER ;;\nCREATE TRIGGER tr AFTER INSERT ON orders FOR EACH ROW BEGIN /* it's */ "
    "INSERT "
    "INTO log (what) VALUES ('; ;; */ -- \\''); END;;\n"
    "CREATE PROCEDURE shop.p() BEGIN DROP TABLE IF EXISTS evil; SELECT 'x\\n-- Table structure'; END;;\n"
    "SET sql_mode='NO_BACKSLASH_ESCAPES,ANSI_QUOTES';;\n"
    "CREATE TRIGGER mode BEFORE UPDATE ON entries FOR EACH ROW SET @x = 'a\\';;\n"
    "CREATE TRIGGER crm.bound BEFORE INSERT ON crm.orders FOR EACH ROW SET @x = 1;;\nDELIMITER ;\n";

struct Tables : EscrowedServer {
    MariadbServer database;
    client::RecoveredHome recovered = recover("home");
    gpg::Home home = gpg::Home::use(folder() / "home");
    client::RestoreFrom from{store(), recovered, home, 0, {}};
    std::string set;
    backupset::Manifest manifest;
    client::SqlFeed feed;
    std::filesystem::path root;

    Tables() {
        database.run_sql(tables_schema);
        root = database.option_file("all", "ALL ON *.*");
        backupset::ProcessSource source(
            {.name = "mariadb-dump",
             .spawn = {.argv = {"mariadb-dump", "--defaults-file=" + root.string(), "--single-transaction",
                                "--routines", "--events", "--hex-blob", "--master-data=2", "--databases",
                                "shop", "crm"},
                       .fds = {},
                       .environment = {},
                       .directory = {}}});
        use(add_set(source, "sql", "mariadb-dump"));
    }
    ~Tables() { home.stop_daemons(); }

    void use(const std::string& id) {
        set = id;
        manifest = client::choose_set(from, id);
        feed = client::feed_of_dump(from, manifest);
    }
    std::filesystem::path out() const { return folder() / "out.sql"; }
    std::string to_file(const Selection& wanted) {
        std::filesystem::remove(out());
        client::NewFileTarget target(out());
        client::restore_part(from, feed, wanted, target, true);
        return read_file(out(), 64U << 20U);
    }
    std::vector<restore::DumpedTable> load(const Selection& wanted, const IntoServer& into) {
        return client::restore_into_server(from, feed, wanted, into);
    }
    std::string sums(const std::string& name) {
        return database.run_sql("CHECKSUM TABLE " + name + " EXTENDED").substr(name.find('.') + 1);
    }
    std::string ask(const std::string& sql) { return database.run_sql(sql); }
};

}  // namespace

TEST_CASE_METHOD(Tables, "one table of a dump comes out alone, and loads with its rows and triggers") {
    const std::string name = "we`ird; -- '\"";
    const auto text = to_file({{}, {{"shop", name}}});
    CHECK_THAT(text, !Contains("orders") && !Contains("USE ") && !Contains("evil"));
    ask("CREATE DATABASE copy");
    database.run_sql(text, "copy");
    CHECK(ask("SHOW TABLES FROM copy") == name + "\n");
    CHECK(ask("SELECT COUNT(*) FROM copy.`we``ird; -- '\"`") == "2\n");

    database.run_sql(to_file({{}, {{"shop", "orders"}}}), "copy");
    CHECK(ask("CHECKSUM TABLE copy.orders EXTENDED") != ask("CHECKSUM TABLE copy.nothing"));
    CHECK(ask("SELECT GROUP_CONCAT(name, HEX(IFNULL(picture, '')) ORDER BY id) FROM copy.orders") ==
          ask("SELECT GROUP_CONCAT(name, HEX(IFNULL(picture, '')) ORDER BY id) FROM shop.orders"));
    CHECK(ask("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = 'copy'") ==
          "tr\n");
    database.run_sql(to_file({{}, {{"shop", "entries"}}}), "copy");
    CHECK(ask("SELECT sql_mode FROM information_schema.triggers WHERE trigger_schema = 'copy' AND "
              "trigger_name = "
              "'mode'") == "ANSI_QUOTES,NO_BACKSLASH_ESCAPES\n");
    CHECK_THAT(to_file({{}, {{"crm", "orders"}}}), Contains("(9)"));

    {  // what is not there makes nothing, and the nearest names are said
        const auto before = names();
        std::filesystem::remove(out());
        client::CommandTarget command({"dd", "of=" + out().string(), "status=none"});
        const auto refused = refusal_of([&] {
            client::restore_part(from, feed, {{}, {{"shop", "Orders"}}}, command, false);
        });
        CHECK(refused.kind == "not_found");
        CHECK_THAT(refused.hint, Contains("shop.orders"));
        CHECK_FALSE(std::filesystem::exists(out()));
        CHECK(refusal_of([&] { to_file({{"shops"}, {}}); }).kind == "not_found");
        CHECK_FALSE(std::filesystem::exists(out()));
        CHECK(names().size() == before.size() - 1);
    }
    {  // a file that is there stays as it is
        write_file_atomic(folder() / "mine", "precious");
        CHECK(refusal_of([&] { client::NewFileTarget(folder() / "mine"); }).kind == "exists");
        CHECK(read_file(folder() / "mine", 100) == "precious");
    }
    {  // a dump that is not whole gives no part, also where the part itself is
        use(add_dump(text.substr(0, text.find("/*!40103 SET TIME_ZONE=@OLD"))));
        CHECK(refusal_of([&] { to_file({{}, {{"", name}}}); }).kind == "corrupt");
        CHECK_FALSE(std::filesystem::exists(out()));
    }
}

TEST_CASE_METHOD(Tables, "tables come out of a physical backup, of any engine and kind") {
    ask("CREATE TABLE shop.`pl``ain ü` (a INT PRIMARY KEY, b TEXT, INDEX (b(9))) ROW_FORMAT=COMPRESSED; "
        "INSERT INTO shop.`pl``ain ü` SELECT seq, REPEAT('x', seq) FROM shop.seq_1_to_500;"
        "CREATE TABLE shop.old (a INT) ENGINE=MyISAM; INSERT INTO shop.old VALUES (5); "
        "CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY DO SELECT 1");
    backupset::ProcessSource source(
        {.name = "mariadb-backup",
         .spawn = {.argv = {"mariadb-backup", "--defaults-file=" + root.string(), "--backup",
                            "--stream=xbstream", "--datadir=" + database.datadir().string(),
                            "--target-dir=" + database.folder().string()},
                   .fds = {},
                   .environment = {},
                   .directory = {}}});
    set = add_set(source, "xbstream", "mariadb-backup");
    manifest = client::choose_set(from, set);
    CHECK(refusal_of([&] { client::feed_of_dump(from, manifest); }).kind == "usage");
    std::filesystem::permissions(folder(), std::filesystem::perms(0755));  // mysql must reach it
    const auto before = names();
    const auto take = [&](const Selection& wanted) {
        const client::PhysicalTables tables(from, manifest, wanted, folder());
        feed = tables.feed();
        return to_file(wanted);
    };
    ask("CREATE DATABASE copy");
    database.run_sql(take({{}, {{"shop", "orders"}, {"shop", "log"}, {"shop", "old"}}}), "copy");
    CHECK(ask("SHOW TABLES FROM copy") == "log\nold\norders\n");
    CHECK(ask("SELECT GROUP_CONCAT(name, HEX(IFNULL(picture, '')) ORDER BY id) FROM copy.orders") ==
          ask("SELECT GROUP_CONCAT(name, HEX(IFNULL(picture, '')) ORDER BY id) FROM shop.orders"));
    CHECK(ask("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = 'copy'") ==
          "tr\n");
    CHECK(ask("SELECT * FROM copy.old") == "5\n");

    std::filesystem::remove(out());
    const auto missing = refusal_of([&] { take({{}, {{"shop", "order"}}}); });
    CHECK(missing.kind == "not_found");
    CHECK_THAT(missing.hint, Contains("shop.orders"));
    CHECK(refusal_of([&] { take({}); }).kind == "usage");
    // InnoDB's own files of a table, imported by a server as the README says.
    const restore::TableName plain{"shop", "pl`ain ü"};
    {
        const client::PhysicalTables tables(from, manifest, {{}, {plain, {"shop", "log"}}}, folder());
        CHECK_THAT(refusal_of([&] { tables.write_tablespaces(folder() / "t"); }).text,
                   Contains("partitioned"));
        const auto refused = [&](const std::string& table) {
            return refusal_of([&] { tables.require_transportable({"shop", table}); }).text;
        };
        CHECK_THAT(refused("old"), Contains("MyISAM"));
        CHECK_THAT(refused("orders"), Contains("foreign keys"));
        CHECK_THAT(refused("names"), Contains("VIEW"));
        CHECK_THAT(refused("numbers"), Contains("SEQUENCE"));
    }
    CHECK_FALSE(std::filesystem::exists(folder() / "t"));
    client::PhysicalTables(from, manifest, {{}, {plain}}, folder()).write_tablespaces(folder() / "t");
    const std::string sum = ask("CHECKSUM TABLE shop.`pl``ain ü` EXTENDED");
    ask("DROP TABLE shop.`pl``ain ü`");
    database.run_sql(read_file(folder() / "t/1-create.sql", 1U << 20U));
    for (const auto& entry : std::filesystem::directory_iterator(folder() / "t/shop"))
        std::filesystem::copy_file(entry.path(), database.datadir() / "shop" / entry.path().filename());
    give_to_mysql(database.datadir());
    CHECK_THAT(database.run_sql(read_file(folder() / "t/2-import.sql", 1U << 20U)), Contains("status\tOK"));
    CHECK(ask("CHECKSUM TABLE shop.`pl``ain ü` EXTENDED") == sum);
    std::filesystem::remove_all(folder() / "t");
    CHECK_THAT(take({{"shop"}, {}}), Contains("EVENT `nightly`") && Contains("PROCEDURE `p`"));
    std::filesystem::remove(out());
    CHECK(names() == before);
}

TEST_CASE_METHOD(Tables, "a dump goes into a running server, which is asked first and told what came of it") {
    {  // tables that are there are not replaced without leave
        const auto refused = refusal_of([&] { load({{}, {{"shop", "orders"}, {"crm", "orders"}}}, {root}); });
        CHECK(refused.kind == "exists");
        CHECK_THAT(refused.text, Contains("shop.orders, crm.orders") || Contains("crm.orders, shop.orders"));
        ask("DELETE FROM shop.entries; DELETE FROM shop.orders; INSERT INTO crm.orders VALUES (10)");
        CHECK(load({{}, {{"shop", "orders"}}}, {root}).size() == 1);  // empty now
        CHECK(ask("SELECT COUNT(*) FROM shop.orders") == "2\n");
        CHECK(load({{"crm"}, {}}, {root, true}).front().name == restore::TableName{"crm", "orders"});
        CHECK(ask("SELECT * FROM crm.orders") == "9\n");
        CHECK(refusal_of([&] { load({{}, {{"shop", "names"}}}, {root}); }).kind == "exists");
        CHECK(refusal_of([&] { load({}, {root}); }).kind == "exists");
    }
    {  // a database beside the old one, with all that belongs to it
        const auto loaded = load({{"shop"}, {}}, {root, false, "shop`2"});
        CHECK(loaded.size() == 6);
        CHECK(ask("SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = 'shop`2'") ==
              "1\n");
        CHECK(ask("SELECT COUNT(*) FROM `shop``2`.orders") == "2\n");
        CHECK(ask("SELECT COUNT(*) FROM shop.orders") == "2\n");
        CHECK(refusal_of([&] { load({{"crm"}, {}}, {root, false, "crm2"}); }).kind == "refused");
        CHECK(ask("SHOW DATABASES LIKE 'crm2'").empty());
        CHECK(load({{"crm"}, {}}, {root, false, "crm2", true}).size() == 1);
        ask("DROP DATABASE shop; DROP DATABASE crm");
        CHECK(load({}, {root}).size() == 7);  // all of it
        CHECK(ask("SELECT * FROM crm.orders") == "9\n");
    }
    {  // a statement that fails: what is whole, half there, and not begun
        const auto account = database.option_file("few", "ALL ON `half`.*");
        ask("CREATE DATABASE half");  // which may not make triggers for root
        const auto refused = refusal_of([&] { load({{"shop"}, {}}, {account, true, "half"}); });
        CHECK(refused.kind == "source");
        CHECK_THAT(refused.text, Contains("the load stopped") && Contains("at line"));
        CHECK_THAT(refused.hint,
                   Contains("Loaded whole: half.numbers. Half there: half.entries. Not begun: half.log, "));
        CHECK(ask("SELECT COUNT(*) FROM half.entries") == "2\n");
    }
    {  // a damaged set, commands of the client's own, and others' option files send nothing
        ask("DROP DATABASE crm");
        auto bytes = Bytes(store().get(backupset::segment_key(server(), set, 0), 64U << 20U).view());
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        store().put(backupset::segment_key(server(), set, 0), bytes);
        CHECK(refusal_of([&] { load({{"crm"}, {}}, {root}); }).kind == "corrupt");
        use(add_dump(
            "CREATE DATABASE `crm`;\nUSE `crm`;\nDROP TABLE IF EXISTS `t`;\nCREATE TABLE `t` (i int);\n"
            "\\! touch " +
            out().string() + "\n;\n-- Dump completed\n"));
        CHECK(refusal_of([&] { load({{"crm"}, {}}, {root}); }).kind == "corrupt");
        CHECK(ask("SHOW DATABASES LIKE 'crm'").empty());
        CHECK_THAT(refusal_of([&] { load({}, {root}); }).text, Contains("sandbox"));
        CHECK_FALSE(std::filesystem::exists(out()));
        std::filesystem::permissions(root, std::filesystem::perms(0644));
        CHECK(refusal_of([&] { load({}, {root}); }).kind == "insecure_file");
    }
}
