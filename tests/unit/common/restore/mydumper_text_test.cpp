#include "common/restore/mydumper_text.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/restore/dump_splitter.hpp"
#include "common/restore/mydumper_extraction.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/streams.hpp"

using namespace strongroom;
using namespace strongroom::restore;
using Catch::Matchers::Contains;
using test::CollectingTarget;
using test::error_of;

namespace {

const std::string account =
    "Started dump at: 2026-11-23 06:50:06\nSHOW MASTER STATUS:\n\tLog: binlog.000042\n\tPos: 6563\n"
    "\tGTID:0-1-30,1-2-3\n\nFinished dump at: 2026-11-23 06:50:07\n";
const std::string settings = "/*!40101 SET NAMES binary*/;\n/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n\n";

// What mydumper wrote of two databases, as a real one does.
struct MydumperFiles {
    TempDir folder;

    MydumperFiles() {
        put("metadata", account);
        put("shop-schema-create.sql", "CREATE DATABASE `shop` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;");
        put("shop.orders-schema.sql",
            settings + "CREATE TABLE `orders` (\n  `i` int(11)\n) ENGINE=InnoDB;\n");
        put("shop.orders.sql",
            settings + "INSERT INTO `orders` VALUES\n(1,\"it\\'s;\n`\\\\\"),\n(2,NULL);\n");
        put("shop.orders.00002.sql", settings + "INSERT INTO `orders` VALUES\n(3,\"x\");\n");
        put("shop.orders.00001.sql", settings + "INSERT INTO `orders` VALUES\n(2,\"x\");\n");
        put("shop.orders-schema-triggers.sql",
            "SET @PREV_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT;\nSET character_set_client = utf8mb4;\n"
            "CREATE DEFINER=`root`@`localhost` TRIGGER tr AFTER INSERT ON orders FOR EACH ROW BEGIN\n"
            " INSERT INTO log VALUES ('; ;; -- \\'; \nx'); \n SELECT 1; \nEND;\n"
            "SET character_set_client = @PREV_CHARACTER_SET_CLIENT;\n");
        put("shop.log-schema.sql", settings + "CREATE TABLE `log` (\n  `i` int(11)\n);\n");
        put("shop.log.sql", "");
        put("shop.all-schema.sql",
            "/*!40101 SET NAMES binary*/;\nCREATE TABLE `all`(\n`i` int\n)ENGINE=MyISAM;\n");
        put("shop.all-schema-view.sql",
            "/*!40101 SET NAMES binary*/;\nDROP TABLE IF EXISTS `all`;\nDROP VIEW IF EXISTS `all`;\n"
            "SET character_set_client = utf8mb4;\nCREATE ALGORITHM=UNDEFINED VIEW `all` AS select 1 AS "
            "`i`;\n");
        put("shop-schema-post.sql",
            "SET character_set_client = utf8mb4;\nDROP PROCEDURE IF EXISTS `p`;\n"
            "CREATE DEFINER=`root`@`localhost` PROCEDURE `p`()\nBEGIN\n SELECT 1; \n DROP TABLE `x`; "
            "\nEND;\n");
        put("crm-schema-create.sql", "CREATE DATABASE `crm`;");
        put("crm.orders-schema.sql", settings + "CREATE TABLE `orders` (\n  `i` int(11)\n);\n");
        put("crm.orders.sql", settings + "INSERT INTO `orders` VALUES\n(9);\n");
    }
    void put(const std::string& name, const std::string& text) const {
        write_file_atomic(folder.path() / name, text);
    }
    std::string text() const {
        CollectingTarget target;
        write_mydumper_sql(folder.path(), target);
        CHECK(target.committed);
        return target.bytes;
    }
    std::string part(const Selection& wanted) const {
        CollectingTarget target;
        DumpSplitter split(&target, wanted);
        write_mydumper_sql(folder.path(), split);
        CHECK(target.committed);
        return target.bytes;
    }
};

void check_order(const std::string& text, const std::vector<std::string>& parts) {
    std::size_t at = 0;
    for (const auto& part : parts) {
        const auto found = text.find(part, at);
        INFO(part << "\nis not there, or not in order, in:\n" << text);
        REQUIRE(found != std::string::npos);
        at = found + part.size();
    }
}

}  // namespace

TEST_CASE("mydumper's account names the place in the binary log, and must say that the dump was finished") {
    const auto whole = read_mydumper_account(account);
    CHECK(whole.finished == "2026-11-23 06:50:07");
    CHECK(whole.position.binlog_file == "binlog.000042");
    CHECK(whole.position.binlog_position == 6563);
    CHECK(whole.position.gtid == "0-1-30,1-2-3");

    // That of a primary is another server's.
    const auto of_replica = read_mydumper_account(
        "Started dump at: 2026-11-23 06:50:06\nSHOW SLAVE STATUS:\n\tHost: 10.0.0.1\n\tLog: "
        "primary.000001\n\tPos: 7\n"
        "\tGTID:\n\nFinished dump at: 2026-11-23 06:50:07\n");
    CHECK_FALSE(of_replica.position.binlog_file);
    const auto without = read_mydumper_account(
        "Started dump at: 2026-11-23 06:50:06\nSHOW MASTER STATUS:\n\tLog: b.000001\n\tPos: 329\n\tGTID:\n\n"
        "SHOW SLAVE STATUS:\n\tHost: 10.0.0.1\n\tLog: primary.000001\n\tPos: 7\n\tGTID:9-9-9\n\n"
        "Finished dump at: 2026-11-23 06:50:07\n");
    CHECK(without.position.binlog_file == "b.000001");
    CHECK(without.position.binlog_position == 329);
    CHECK_FALSE(without.position.gtid);

    for (const std::string& bad : {std::string(), std::string("Started dump at: 2026-11-23 06:50:06\n"),
                                   account.substr(0, account.find("Finished")), "x" + account,
                                   account.substr(account.find("Finished"))}) {
        INFO(bad);
        CHECK(error_of([&] { read_mydumper_account(bad); }).kind() == ErrorKind::corrupt);
    }
}

TEST_CASE_METHOD(MydumperFiles,
                 "the files of mydumper become one text of SQL, each thing behind what it needs") {
    const auto sql = text();
    check_order(sql,
                {"SET NAMES binary",
                 "NO_AUTO_VALUE_ON_ZERO",
                 "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `crm`;",
                 "USE `crm`;",
                 "CREATE TABLE `orders`",
                 "(9);",
                 "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;",
                 "USE `shop`;",
                 "DROP TABLE IF EXISTS `all`;\nDROP VIEW IF EXISTS `all`;\n",
                 ")ENGINE=MyISAM;",
                 "CREATE TABLE `log`",
                 "DROP TABLE IF EXISTS `orders`;",
                 "CREATE TABLE `orders`",
                 "(2,\"x\");",
                 "(3,\"x\");",
                 "(1,\"it",
                 "SET SQL_MODE=@OLD_SQL_MODE */;",
                 "SET character_set_client = utf8mb4;\nDELIMITER ;;\nCREATE",
                 "END ;;\nDELIMITER ;\nSET character_set_client = @PREV_CHARACTER_SET_CLIENT;\n",
                 "SET SQL_MODE=@OLD_LOADING_MODE */;",
                 "SET TIME_ZONE=@OLD_TIME_ZONE",
                 "USE `shop`;",
                 "DROP PROCEDURE IF EXISTS `p`;\nDELIMITER ;;\nCREATE",
                 "SELECT 1; \n DROP TABLE",
                 "END ;;\nDELIMITER ;\n",
                 "USE `shop`;",
                 "VIEW `all`",
                 "-- Dump completed on 2026-11-23 06:50:07\n"});
    DumpSplitter look(nullptr, {});
    write_mydumper_sql(folder.path(), look);
    CHECK(look.tables() ==
          std::set<TableName>{{"crm", "orders"}, {"shop", "all"}, {"shop", "log"}, {"shop", "orders"}});
    CHECK(look.databases() == std::set<std::string>{"crm", "shop"});
}

TEST_CASE_METHOD(MydumperFiles, "a part of mydumper's text is taken as a part of any dump") {
    const auto orders = part({{}, {{"shop", "orders"}}});
    check_order(orders, {"SET NAMES binary", "USE `shop`;", "CREATE TABLE `orders`", "(3,\"x\");", "(1,\"it",
                         "TRIGGER tr", "END ;;"});
    CHECK_THAT(orders,
               !Contains("(9)") && !Contains("`log` (") && !Contains("PROCEDURE") && !Contains("VIEW"));
    const auto crm = part({{"crm"}, {}});
    CHECK_THAT(crm, Contains("(9)") && !Contains("shop"));
    const auto shop = part({{"shop"}, {}});
    check_order(shop, {"`log`", "TRIGGER tr", "PROCEDURE `p`", "VIEW `all`"});
    CHECK_THAT(shop, !Contains("(9)"));
    const auto view = part({{}, {{"shop", "all"}}});
    check_order(view, {")ENGINE=MyISAM", "VIEW `all`"});
    CHECK(error_of([&] { part({{}, {{"shop", "order"}}}); }).kind() == ErrorKind::not_found);
}

TEST_CASE_METHOD(MydumperFiles, "a trigger that mydumper wrote to another table's file, too, is made once") {
    const auto trigger = [](const std::string& name, const std::string& table) {
        return "CREATE DEFINER=`root`@`localhost` TRIGGER " + name + " BEFORE INSERT ON " + table +
               " FOR EACH ROW SET @x = 1;\n";
    };
    const auto table = [&](const std::string& name) {
        put("shop." + name + "-schema.sql", "CREATE TABLE `" + name + "` (\n  `i` int(11)\n);\n");
    };
    for (const char* name : {"a_b", "axb", "A_B", "ä_b"}) table(name);
    put("shop.a_b-schema-triggers.sql", trigger("t1", "shop.`a_b`") + trigger("t2", "axb") +
                                            trigger("`on`", "shop . A_B") + trigger("t4", "Orders_x"));
    put("shop.axb-schema-triggers.sql", trigger("t2", "`axb`"));
    put("shop.A_B-schema-triggers.sql", trigger("`on`", "A_B"));
    put("shop.ä_b-schema-triggers.sql", trigger("t5", "`Ä_B`"));  // a server for which they are the same
    std::string sql = text();
    for (const char* name : {"t1", "t2", "`on`", "t5"}) {
        INFO(name);
        const auto first = sql.find("TRIGGER " + std::string(name));
        CHECK(first != std::string::npos);
        CHECK(sql.find("TRIGGER " + std::string(name), first + 1) == std::string::npos);
    }
    check_order(sql, {"CREATE TABLE `A_B`", "`on`", "CREATE TABLE `a_b`", "TRIGGER t1", "CREATE TABLE `axb`",
                      "TRIGGER t2"});
    CHECK_THAT(sql, !Contains("t4"));
}

TEST_CASE_METHOD(MydumperFiles, "files of mydumper that are not whole become no text") {
    const auto kind = [&] { return error_of([&] { text(); }).kind(); };
    SECTION("triggers end within a statement") {
        put("shop.orders-schema-triggers.sql",
            "CREATE TRIGGER tr AFTER INSERT ON orders FOR EACH ROW SET @x = 1");
        CHECK(kind() == ErrorKind::corrupt);
    }
    SECTION("routines end within a statement") {
        put("shop-schema-post.sql",
            "DROP PROCEDURE IF EXISTS `p`;\nCREATE PROCEDURE `p`()\nBEGIN\n SELECT 1; \n");
        CHECK(kind() == ErrorKind::corrupt);
    }
    SECTION("a routine of a sql_mode that reads strings otherwise would swallow what follows") {
        put("shop-schema-post.sql", "CREATE DEFINER=`r`@`h` PROCEDURE `pm`()\nSELECT 'a\\';\nSET @x = 1;\n");
        const auto error = error_of([&] { text(); });
        CHECK(error.kind() == ErrorKind::refused);
        CHECK_THAT(error.text(), Contains("shop-schema-post.sql") && Contains("PROCEDURE `pm`"));
    }
    SECTION("rows without a table") {
        put("shop.lost.sql", "INSERT INTO `lost` VALUES\n(1);\n");
        CHECK(kind() == ErrorKind::corrupt);
    }
    SECTION("a file of another's") {
        put("readme.txt", "");
        CHECK(kind() == ErrorKind::refused);
    }
    SECTION("no end") {
        put("metadata", "Started dump at: 2026-11-23 06:50:06\n");
        CHECK(kind() == ErrorKind::corrupt);
    }
}
