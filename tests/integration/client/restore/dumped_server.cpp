#include "tests/integration/client/restore/dumped_server.hpp"

#include <catch2/catch.hpp>

#include "client/restore/mydumper_folder.hpp"
#include "tests/support/mydumper.hpp"
#include "tests/support/streams.hpp"

namespace strongroom::test {
namespace {

using Catch::Matchers::Contains;

constexpr const char* dumped_schema =
    "SET NAMES utf8mb4; CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;"
    "CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, name TEXT, picture BLOB, n INT DEFAULT 4, "
    "twice INT AS (n * 2) STORED, more INT AS (n + 1) VIRTUAL, at TIMESTAMP NULL);"
    "SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');"
    "INSERT INTO orders (id, name, picture, at) VALUES (0, 'zero', 0x00ff271a0d0a22, '2026-03-29 02:30:00'),"
    "(7, 'it''s \\\\ \\\"; \\n/* 日本 -- ;\\n', NULL, NULL);"
    "CREATE TABLE entries (id INT PRIMARY KEY, order_id INT, FOREIGN KEY (order_id) REFERENCES orders (id));"
    "INSERT INTO entries VALUES (1, 0), (2, 7);"
    "CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, what TEXT) PARTITION BY HASH (id) PARTITIONS 2;"
    "CREATE TABLE `tähle 日本` (`spälte` VARCHAR(20) DEFAULT 'ö' COMMENT 'k; ''ä'); "
    "INSERT INTO `tähle 日本` VALUES ('ü'), (NULL);"
    "CREATE TABLE `we ird; \"` (a INT); INSERT INTO `we ird; \"` VALUES (1), (2);"
    "CREATE TABLE many (id INT PRIMARY KEY, text VARCHAR(200), data BLOB);"
    "INSERT INTO many SELECT seq, SHA2(seq, 512), UNHEX(SHA2(seq, 512)) FROM seq_1_to_15000;"
    "CREATE TABLE empty (i INT);"
    "CREATE VIEW names AS SELECT name, 'ü;' AS x FROM orders; CREATE VIEW above AS SELECT x FROM names;"
    "CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 3; SELECT NEXTVAL(numbers);\n"
    "DELIMITER ;;\n"
    "CREATE TRIGGER tr AFTER INSERT ON orders FOR EACH ROW BEGIN\n"
    " INSERT INTO log (what) VALUES ('; ;; */ -- \\' ü');\n SET @x = 1;\nEND;;\n"
    "CREATE TRIGGER tr2 BEFORE INSERT ON orders FOR EACH ROW SET NEW.name = CONCAT(NEW.name, 'é');;\n"
    "CREATE PROCEDURE p() BEGIN\n SELECT 'ä; b';\n DROP TABLE IF EXISTS evil;\nEND;;\n"
    "CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC RETURN x + 1;;\n"
    "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO BEGIN\n DELETE FROM log;\n SELECT 1;\nEND;;\n"
    "DELIMITER ;\n"
    "CREATE DATABASE crm CHARACTER SET latin1; CREATE TABLE crm.orders (i INT); INSERT INTO crm.orders "
    "VALUES "
    "(9);";

}  // namespace

std::string state_of(const MariadbServer& server) {
    const std::string schemas = " IN ('shop', 'crm') ";
    const auto body = [](const std::string& column) {
        return "REPLACE(REPLACE(" + column + ", '; \\n', ';'), ';\\n', ';')";  // mydumper puts a blank there
    };
    return server.run_sql(
        "SET NAMES utf8mb4; USE shop; CHECKSUM TABLE orders, entries, log, `tähle 日本`, `we ird; \"`, "
        "many, empty, "
        "crm.orders EXTENDED; SELECT * FROM numbers; SELECT id, twice, more, HEX(picture) FROM orders;"
        "SHOW CREATE TABLE orders; SHOW CREATE TABLE entries; SHOW CREATE TABLE `tähle 日本`; SHOW CREATE "
        "TABLE log;"
        "SELECT schema_name, default_character_set_name FROM information_schema.schemata WHERE schema_name" +
        schemas +
        "ORDER BY 1; SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE "
        "table_schema" +
        schemas +
        "ORDER BY 1, 2; SELECT table_name, REPLACE(view_definition, '`shop`.', ''), definer FROM "
        "information_schema.views WHERE "
        "table_schema" +
        schemas +
        "ORDER BY 1; SELECT trigger_name, event_object_table, action_timing, event_manipulation, "
        "action_order, " +
        body("action_statement") +
        ", definer, character_set_client FROM information_schema.triggers ORDER BY 1;" +
        "SELECT routine_name, routine_type, " + body("routine_definition") +
        ", definer, is_deterministic FROM information_schema.routines WHERE routine_schema" + schemas +
        "ORDER BY 1; SELECT event_name, status, " + body("event_definition") +
        ", interval_value FROM information_schema.events ORDER BY 1");
}

DumpedServer::DumpedServer() {
    from.say = [this](const std::string& line) { said.push_back(line); };
    source.run_sql(dumped_schema);
    const TempDir dump;
    run_mydumper(source, dump.path() / "dump");
    BufferSource bytes(tar_of(dump.path() / "dump"));
    set = add_set(bytes, "tar", "mydumper");
    manifest = client::choose_set(from, set);
    before = names();
}

std::string DumpedServer::text_of(const restore::Selection& wanted) {
    const client::MydumperFolder files(from, manifest, wanted, folder());
    CollectingTarget target;
    client::restore_part(from, files.feed(), wanted, target, false);
    CHECK(target.committed);
    return target.bytes;
}

std::vector<std::string> DumpedServer::command(std::vector<std::string> more) const {
    more.insert(more.begin(),
                {std::string(STRONGROOM_BIN_DIR) + "/strongroom", "--json", "restore", "--server", server(),
                 "--store", "file://" + store_folder().string(), "--home", (folder() / "home").string()});
    return more;
}

RunResult DumpedServer::run(const std::vector<std::string>& more) const {
    return run_program(
        {.argv = command(more),
         .fds = {},
         .environment = {{"XDG_CONFIG_HOME", folder().string()}, {"TMPDIR", folder().string()}},
         .directory = {}});
}

void DumpedServer::refuses(const std::vector<std::string>& more, ErrorKind kind,
                           const std::string& text) const {
    const auto result = run(more);
    INFO(result.err);
    CHECK(result.status.code == exit_code(kind));
    CHECK_THAT(result.err, Contains(text));
    CHECK(result.out.empty());
    CHECK(names() == before);
}

}  // namespace strongroom::test
