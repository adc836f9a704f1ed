#include <catch2/catch.hpp>

#include "agent/source/mysql_client.hpp"
#include "common/base/error.hpp"

using namespace strongroom;
using namespace strongroom::agent;

using Names = std::vector<std::string>;

TEST_CASE("only privileges on everything count") {
    const auto held = global_privileges(
        "GRANT RELOAD, PROCESS ON *.* TO `low`@`localhost` IDENTIFIED BY PASSWORD '*D8'\n"
        "GRANT SELECT, TRIGGER ON `world`.* TO `low`@`localhost`\n"
        "GRANT PROXY ON ''@'%' TO 'low'@'localhost' WITH GRANT OPTION\n");
    CHECK(held == std::set<std::string>{"RELOAD", "PROCESS"});
    CHECK(global_privileges("GRANT USAGE ON *.* TO `low`@`localhost`\n").empty());
}

TEST_CASE("what is missing becomes the exact statement") {
    const Names needed{"RELOAD", "PROCESS", "BINLOG MONITOR"};
    CHECK(missing_privileges({"RELOAD"}, needed) == Names{"PROCESS", "BINLOG MONITOR"});
    CHECK(missing_privileges({"RELOAD", "PROCESS", "REPLICATION CLIENT"}, needed).empty());
    CHECK(missing_privileges({"ALL PRIVILEGES"}, needed).empty());
    CHECK(grant_statement({"PROCESS", "BINLOG MONITOR"}, "we`ird@10.0.0.%") ==
          "GRANT PROCESS, BINLOG MONITOR ON *.* TO `we``ird`@`10.0.0.%`;");

    MysqlServer server;
    server.account = "low@localhost";
    server.privileges = {"RELOAD"};
    try {
        require_privileges(server, needed, "mariadb-backup");
        FAIL("was accepted");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::source);
        CHECK(error.hint().find("GRANT PROCESS, BINLOG MONITOR ON *.* TO `low`@`localhost`;") !=
              std::string::npos);
    }
}
