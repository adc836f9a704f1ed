#include "common/restore/dump_splitter.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/streams.hpp"

using namespace strongroom;
using namespace strongroom::restore;
using Catch::Matchers::Contains;
using test::CollectingTarget;
using test::error_of;

namespace {

const std::string beginning =
    "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n--\n-- Host: localhost\n\n"
    "/*!40101 SET NAMES utf8mb4 */;\n/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;\n"
    "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n"
    "-- CHANGE MASTER TO MASTER_LOG_FILE='b.000001', MASTER_LOG_POS=4;\n";
const std::string ending =
    "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n\n-- Dump completed on 2026-11-22 23:23:16\n";

std::string database(const std::string& name) {
    return "--\n-- Current Database: `" + name + "`\n--\n\nCREATE DATABASE /*!32312 IF NOT EXISTS*/ `" +
           name + "` /*!40100 DEFAULT CHARACTER SET latin1 */;\n\nUSE `" + name + "`;\n";
}

// As mariadb-dump writes it; `name` and `rows` as they stand in SQL.
std::string table(const std::string& name, const std::string& rows) {
    return "\n--\n-- Table structure for table `" + name + "`\n--\n\nDROP TABLE IF EXISTS `" + name +
           "`;\n/*!40101 SET @saved_cs_client     = @@character_set_client */;\nCREATE TABLE `" + name +
           "` (\n  `i` int(11) DEFAULT NULL\n) ENGINE=InnoDB;\n"
           "/*!40101 SET character_set_client = @saved_cs_client */;\n\n--\n-- Dumping data for table `" +
           name + "`\n--\n\nLOCK TABLES `" + name + "` WRITE;\n/*!40000 ALTER TABLE `" + name +
           "` DISABLE KEYS */;\nINSERT INTO `" + name + "` VALUES\n(" + rows + ");\nUNLOCK TABLES;\n";
}

const std::string trigger =
    "/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;\n"
    "/*!50003 SET sql_mode              = 'NO_BACKSLASH_ESCAPES' */ ;\nDELIMITER ;;\n"
    "/*!50003 CREATE*/ /*!50017 DEFINER=`TRIGGER`@`x`*/ /*!50003 TRIGGER tr BEFORE INSERT ON orders FOR EACH "
    "ROW BEGIN\n-- Table structure for table `evil`\n/* it's */ SET NEW.i = 'a\\'; -- ';\nEND */;;\n"
    "DELIMITER ;\n/*!50003 SET sql_mode              = @saved_sql_mode */ ;\n";

const std::string routine =
    "\n--\n-- Dumping routines for database 'shop'\n--\n"
    "/*!50003 SET @saved_cs_client      = @@character_set_client */ ;\n"
    "/*!50003 DROP PROCEDURE IF EXISTS `p` */;\nDELIMITER ;;\nCREATE DEFINER=`root`@`localhost` PROCEDURE "
    "`p`()\nBEGIN\n--\n-- Table structure for table `evil`\n--\n DROP TABLE IF EXISTS `orders`; SELECT 1; "
    "END ;;\nDELIMITER ;\n";

const std::string hostile_rows =
    R"(1,'x\n-- Table structure for table `evil`\n','\'); DROP TABLE `other`; -- '),(2,'it''s;','/*',"\"'"),(3,0x27,'\\')";

const std::string whole = beginning + database("shop") + table("orders", hostile_rows) + trigger +
                          table("we``ird; -- '", "1,'/*'") + table("other", "7") + routine + database("crm") +
                          table("orders", "8,'*/'") + database("shop") + ending;

struct Taken {
    std::string text;
    std::vector<DumpedTable> passed;
    std::set<TableName> tables;
};

Taken take(const std::string& dump, const Selection& wanted, const SplitOptions& options = {},
           std::size_t piece = 0) {
    CollectingTarget out;
    DumpSplitter splitter(&out, wanted, options);
    if (piece == 0) piece = dump.size();
    for (std::size_t at = 0; at < dump.size(); at += piece)
        splitter.write(dump.data() + at, std::min(piece, dump.size() - at));
    splitter.commit();
    CHECK(out.committed);
    return {out.bytes, splitter.passed(), splitter.tables()};
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t out = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++out;
    return out;
}

}  // namespace

TEST_CASE("one table of a dump: its structure, rows and triggers, and nothing else") {
    const auto got = take(whole, {{}, {{"shop", "orders"}}});
    CHECK(got.tables ==
          std::set<TableName>{
              {"shop", "orders"}, {"shop", "we`ird; -- '"}, {"shop", "other"}, {"crm", "orders"}});
    REQUIRE(got.passed.size() == 1);
    CHECK(got.passed[0].name == TableName{"shop", "orders"});
    CHECK_THAT(got.text, Contains("(" + hostile_rows + ");\n"));
    CHECK_THAT(got.text, Contains("USE `shop`;\nDROP TABLE IF EXISTS `orders`;"));
    CHECK(count(got.text, "CREATE DATABASE") == 1);
    CHECK(count(got.text, "CREATE TABLE") == 1);
    CHECK(count(got.text, "\nDROP TABLE") == 1);
    CHECK_THAT(got.text, Contains("DELIMITER ;;\n/*!50003 CREATE*/"));
    CHECK_THAT(got.text, Contains("END */;;\nDELIMITER ;\n/*!50003 SET sql_mode              = @saved"));
    CHECK_THAT(got.text, Contains("SET NAMES utf8mb4"));
    CHECK_THAT(got.text, Contains("SET TIME_ZONE=@OLD_TIME_ZONE"));
    CHECK_THAT(got.text, !Contains("PROCEDURE"));
    CHECK_THAT(got.text, !Contains("we``ird"));
    CHECK_THAT(got.text, !Contains("(7)"));
    // Taken out of what was taken out, it is the same: nothing of another table is in it.
    const auto again = take(got.text + "-- Dump completed\n", {{}, {{"shop", "orders"}}});
    CHECK(again.text == got.text);
    CHECK(again.tables.size() == 1);
}

TEST_CASE("how the text is cut into pieces changes nothing") {
    for (const Selection& wanted :
         {Selection{{}, {{"shop", "orders"}}}, Selection{{"shop"}, {}}, Selection{}}) {
        const auto expected = take(whole, wanted);
        for (std::size_t piece = 1; piece < 70; ++piece) {
            const auto got = take(whole, wanted, {}, piece);
            CHECK(got.text == expected.text);
            CHECK(got.tables == expected.tables);
        }
    }
    CHECK(take(whole, {}).text == whole);
}

TEST_CASE("tables of several databases, and whole databases with their routines") {
    const auto two = take(whole, {{}, {{"shop", "other"}, {"crm", "orders"}}}).text;
    CHECK_THAT(two, Contains("USE `shop`;\nDROP TABLE IF EXISTS `other`;"));
    CHECK_THAT(two, Contains("USE `crm`;\nDROP TABLE IF EXISTS `orders`;"));
    CHECK_THAT(two, !Contains("PROCEDURE"));
    const auto shop = take(whole, {{"shop"}, {}}).text;
    CHECK_THAT(shop, Contains("DROP PROCEDURE IF EXISTS"));
    CHECK_THAT(shop,
               Contains("SET @saved_cs_client      = @@character_set_client */ ;\n/*!50003 DROP PROCEDURE"));
    CHECK_THAT(shop, Contains("`we``ird; -- '`"));
    CHECK_THAT(shop, !Contains("crm"));
    const auto plain = take(whole, {{}, {{"shop", "other"}}}, {true, ""}).text;
    CHECK_THAT(plain, !Contains("USE "));
    CHECK_THAT(plain, !Contains("CREATE DATABASE"));
    const auto elsewhere = take(whole, {{}, {{"shop", "other"}}}, {false, "n`ew"}).text;
    CHECK_THAT(elsewhere, Contains("USE `n``ew`;\n"));
    CHECK_THAT(elsewhere, !Contains("shop"));
}

TEST_CASE("what belongs to the server goes into no part") {
    std::string dump = beginning + "CHANGE MASTER TO MASTER_LOG_POS=4;\nSET @@GLOBAL.GTID_PURGED='1-1-1';\n";
    dump += database("shop") + "DROP DATABASE IF EXISTS `shop`;\n" + table("t", "1") +
            "FLUSH PRIVILEGES;\nGRANT ALL ON *.* TO `x`@`y`;\nCREATE USER `TABLE`;\n" + ending;
    const auto got = take(dump, {{"shop"}, {{"shop", "t"}}}).text;
    for (const char* text : {"MASTER", "GLOBAL", "DROP DATABASE", "FLUSH", "GRANT", "USER"})
        CHECK_THAT(got, !Contains(text));
}

TEST_CASE("a view, with what stands in its place for a while") {
    const std::string view =
        "--\n-- Temporary table structure for view `v`\n--\nDROP TABLE IF EXISTS `v`;\n/*!50001 DROP VIEW IF "
        "EXISTS `v`*/;\nSET @saved_cs_client     = @@character_set_client;\n/*!50001 CREATE VIEW `v` AS "
        "SELECT\n"
        " 1 AS `a` */;\n" +
        table("t", "1") +
        "\n--\n-- Final view structure for view `v`\n--\n\n/*!50001 DROP VIEW IF EXISTS `v`*/;\n"
        "/*!50001 SET @saved_cs_client          = @@character_set_client */;\n/*!50001 CREATE "
        "ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`VIEW`@`localhost` SQL SECURITY DEFINER */\n"
        "/*!50001 VIEW `v` AS select 1 AS `a` */;\n";
    const auto got = take(beginning + database("shop") + view + ending, {{}, {{"shop", "v"}}});
    REQUIRE(got.passed.size() == 1);
    CHECK(got.passed[0].view);
    CHECK(count(got.text, "VIEW `v` AS") == 2);
    CHECK(count(got.text, "TABLE `t`") == 0);
}

TEST_CASE("a dump that is not whole, not one, or not understood is refused") {
    const Selection orders{{}, {{"shop", "orders"}}};
    const auto refused = [&](const std::string& dump, ErrorKind kind, const std::string& text) {
        CollectingTarget out;
        const Error error = error_of([&] {
            DumpSplitter splitter(&out, orders);
            splitter.write(dump.data(), dump.size());
            splitter.commit();
        });
        CHECK(error.kind() == kind);
        CHECK_THAT(error.text(), Contains(text));
        CHECK_FALSE(out.committed);
    };
    refused("", ErrorKind::corrupt, "Dump completed");
    refused(whole.substr(0, whole.find("-- Dump completed")), ErrorKind::corrupt, "Dump completed");
    refused(whole + "SELECT 1;\n", ErrorKind::corrupt, "not understood");
    refused(whole + "USE `x`;\n", ErrorKind::corrupt, "Dump completed");
    refused(beginning + database("shop") + "INSERT INTO `orders` VALUES ('-- Dump completed\n",
            ErrorKind::corrupt, "within a statement");
    refused(beginning + "RENAME TABLE a TO b;\n" + ending, ErrorKind::corrupt, "line 10: RENAME TABLE a");
    refused(beginning + database("shop") + table("order", "1") + table("t", "1") + ending,
            ErrorKind::not_found, "no table shop.orders");
    refused(beginning + "/*!50003 TRIGGER t */;\nCREATE TRIGGER x BEFORE INSERT ON y;\n" + ending,
            ErrorKind::corrupt, "not understood");
}

TEST_CASE("what an agent says that a dump holds") {
    const Selection some{{"my.shop"}, {{"a", "b"}, {"c`", "d.e"}}};
    const std::string dump = announce(some) + whole;
    DumpSplitter splitter(nullptr, {});
    splitter.write(dump.data(), dump.size());
    splitter.commit();
    CHECK(splitter.announced().databases == some.databases);
    CHECK(splitter.announced().tables == some.tables);
    const Error missing = error_of([&] { splitter.require_there(some, ErrorKind::corrupt); });
    CHECK(missing.text() == "the dump holds no database my.shop");
    CHECK(error_of([&] {
              splitter.require_there({{}, {{"crm", "order"}}}, ErrorKind::corrupt);
          }).hint() == "It holds 4, the nearest: crm.orders, shop.orders, shop.other, shop.`we``ird; -- '`");
}

TEST_CASE("the table at a line of what was passed on") {
    CollectingTarget out;
    DumpSplitter splitter(&out, {{"shop"}, {}});
    splitter.write(whole.data(), whole.size());
    splitter.commit();
    const auto line_of = [&](const std::string& text) {
        return 1 + std::count(out.bytes.begin(),
                              out.bytes.begin() + static_cast<std::ptrdiff_t>(out.bytes.find(text)), '\n');
    };
    CHECK(splitter.at_line(1) == nullptr);
    CHECK(splitter.at_line(line_of("INSERT INTO `orders`"))->name.table == "orders");
    CHECK(splitter.at_line(line_of("DROP TABLE IF EXISTS `we"))->name.table == "we`ird; -- '");
    CHECK(splitter.at_line(line_of("INSERT INTO `other`"))->name.table == "other");
}

TEST_CASE("names are literal, quoted where they must be, and refused where no server could have them") {
    CHECK(parse_table_name("shop.orders") == TableName{"shop", "orders"});
    CHECK(parse_table_name("`my.sh``op`.`--result-file=x`") == TableName{"my.sh`op", "--result-file=x"});
    CHECK(parse_table_name("sh%op.or_ders") == TableName{"sh%op", "or_ders"});
    CHECK(parse_database_name("my.shop") == "my.shop");
    CHECK(written_name(TableName{"my.sh`op", "t"}) == "`my.sh``op`.t");
    for (const std::string text : {"", "shop", "shop.", ".t", "a.b.c", "`a.b", "a`.b", "`a`b.c", "a.b ",
                                   "a.\n", "a.\xff", "information_schema.tables", "Performance_Schema.x"})
        CHECK(error_of([&] { parse_table_name(text); }).kind() == ErrorKind::usage);
    for (const std::string& text :
         {std::string(), std::string("`a"), std::string("a\tb"), std::string(65, 'x')})
        CHECK(error_of([&] { parse_database_name(text); }).kind() == ErrorKind::usage);
}
