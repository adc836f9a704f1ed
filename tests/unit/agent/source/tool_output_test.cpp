#include "agent/source/tool_output.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "agent/source/redo_log.hpp"
#include "common/base/error.hpp"

using namespace strongroom;
using namespace strongroom::agent;

namespace {

// Captured from mariadb-backup 10.11.19.
const std::string physical_head =
    "[00] 2026-11-22 02:15:44 Connecting to MariaDB server host: localhost, user: root, password: not set\n"
    "[00] 2026-11-22 02:15:44 Using server version 10.11.19-MariaDB-0+deb12u1-log\n"
    "mariadb-backup based on MariaDB server 10.11.19-MariaDB debian-linux-gnu (x86_64)\n";
const std::string physical_tail =
    "[00] 2026-11-22 02:15:44 mariabackup: The latest check point (for incremental): '44388'\n"
    "[00] 2026-11-22 02:15:44 Waiting for log copy thread to read lsn 46669\n"
    "[00] 2026-11-22 02:15:45 MySQL binlog position: filename 'b.000001', position '612', GTID of the last "
    "change '0-11-2'\n"
    "[00] 2026-11-22 02:15:45 Streaming xtrabackup_info\n"
    "[00] 2026-11-22 02:15:45         ...done\n"
    "[00] 2026-11-22 02:15:45 Redo log (from LSN 44388 to 46669) was copied.\n"
    "2026-11-22  2:15:45 0 [Note] InnoDB: Starting shutdown...\n";
const std::string completed = "[00] 2026-11-22 02:15:45 completed OK!\n";

// Captured from mariadb-dump 10.11.19.
const std::string dump_head =
    "-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)\n--\n"
    "-- Host: localhost    Database: \n-- ------------------------------------------------------\n"
    "-- Server version\t10.11.19-MariaDB-0+deb12u1-log\n\n"
    "-- CHANGE MASTER TO MASTER_LOG_FILE='b.000001', MASTER_LOG_POS=2702;\n";
const std::string dump_tail =
    "-- Preferably use GTID to start replication from GTID position:\n\n"
    "-- SET GLOBAL gtid_slave_pos='0-11-15';\n"
    "/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n\n";
const std::string dump_end = "-- Dump completed on 2026-11-22  2:16:51\n";

template <class Call>
std::string failure(Call call) {
    try {
        call();
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::source);
        return error.text();
    }
    FAIL("was taken for a success");
    return {};
}

}  // namespace

TEST_CASE("a physical tool's words give server version, LSN, binlog and GTID") {
    const auto facts = read_physical_output(physical_head, physical_tail + completed);
    CHECK(facts.server_version == "10.11.19-MariaDB-0+deb12u1-log");
    CHECK(facts.position.lsn_from == 0);
    CHECK(facts.position.lsn_to == 44388);
    CHECK(facts.position.binlog_file == "b.000001");
    CHECK(facts.position.binlog_position == 612);
    CHECK(facts.position.gtid == "0-11-2");
}

TEST_CASE("a physical tool that does not say completed OK! as its last words has failed") {
    CHECK(failure([] { read_physical_output(physical_head, physical_tail); }).find("completed OK!") !=
          std::string::npos);
    failure([] { read_physical_output(physical_head, physical_tail + completed + "[00] FATAL ERROR: x\n"); });
    failure([] { read_physical_output("", ""); });
    failure([] { read_physical_output(physical_head, completed); });  // no LSN
}

TEST_CASE("a server without binary log has a position without binlog") {
    const std::string tail =
        "[00] 2026-11-22 02:15:44 The latest check point (for incremental): '44388'\n" + completed;
    const auto facts = read_physical_output(physical_head, tail);
    CHECK(facts.position.lsn_to == 44388);
    CHECK_FALSE(facts.position.binlog_file);
    CHECK_FALSE(facts.position.gtid);
}

TEST_CASE("a dump's text gives its position, and is whole only with its last line") {
    const auto facts = read_dump_text(dump_head, dump_tail + dump_end);
    CHECK(facts.server_version == "10.11.19-MariaDB-0+deb12u1-log");
    CHECK(facts.position.binlog_file == "b.000001");
    CHECK(facts.position.binlog_position == 2702);
    CHECK(facts.position.gtid == "0-11-15");
    CHECK_FALSE(facts.position.lsn_to);

    CHECK(failure([] { read_dump_text(dump_head, dump_tail); }).find("Dump completed") != std::string::npos);
    failure([] { read_dump_text(dump_head, dump_tail + dump_end + "INSERT INTO t VALUES (1);\n"); });
    failure([] { read_dump_text("", ""); });
}

TEST_CASE("a dump of MySQL names its source position") {
    const auto facts = read_dump_text(
        "-- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='binlog.000002', SOURCE_LOG_POS=157;\n", dump_end);
    CHECK(facts.position.binlog_file == "binlog.000002");
    CHECK(facts.position.binlog_position == 157);
}

TEST_CASE("an increment must say where it began, and a full backup must not be one") {
    const std::string head = "[00] incremental backup from 5091754 is enabled.\n";
    const std::string tail =
        "[00] mariabackup: The latest check point (for incremental): '41553209'\n[00] completed OK!\n";
    const auto facts = read_physical_output(head, tail, 5091754);
    CHECK(facts.position.lsn_from == 5091754);
    CHECK(facts.position.lsn_to == 41553209);
    CHECK_THROWS_AS(read_physical_output(head, tail, 5091755), Error);
    CHECK_THROWS_AS(read_physical_output("", tail, 5091754), Error);
    CHECK_THROWS_AS(read_physical_output(head, tail), Error);
    CHECK_THROWS_AS(
        read_physical_output("incremental backup from 99999999999 is enabled.", tail, 99999999999), Error);
}

TEST_CASE("where InnoDB's log stands") {
    const auto log = read_innodb_status(
        "InnoDB\t\t\\n---\\nLOG\\n---\\nLog sequence number 51670741\\nLog flushed up to   51670648\\n"
        "Pages flushed up to 44404\\nLast checkpoint at  44388\\n0 pending log flushes");
    CHECK(log.written == 51670741);
    CHECK(log.checkpoint == 44388);
    CHECK_THROWS_AS(read_innodb_status("InnoDB\t\t"), Error);
}
