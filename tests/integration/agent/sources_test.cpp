#include <catch2/catch.hpp>
#include <thread>

#include "agent/check/database_check.hpp"
#include "agent/source/mysql_client.hpp"
#include "agent/source/physical_source.hpp"
#include "common/backupset/set_list.hpp"
#include "common/gpg/home.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/mariadb_server.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace strongroom::test;

namespace {

backupset::Manifest manifest_of(const RegisteredHost& host, const std::string& set) {
    const auto store = host.store();
    return backupset::read_manifest(*store, host.agent.server, set, gpg::Home::use(host.state.own_home()),
                                    host.agent.identity);
}

const Finding& finding(const std::vector<Finding>& all, const std::string& what) {
    for (const auto& one : all)
        if (one.what == what) return one;
    FAIL("no finding about " << what);
    throw 0;
}

}  // namespace

TEST_CASE("each MySQL source seals with the least grants, and the missing grant is named exactly") {
    const MariadbServer server;
    server.run_sql(
        "CREATE DATABASE shop; CREATE TABLE shop.t (a INT PRIMARY KEY, b TEXT); "
        "INSERT INTO shop.t VALUES (1, 'one'), (2, 'the-second-row')");
    RegisteredHost host;

    SECTION("mariadb-backup") {
        host.config.source = "mariadb-backup";
        host.config.mysql_option_file = server.option_file("low", "RELOAD, PROCESS ON *.*");
        std::vector<Finding> findings;
        check_database(findings, host.config, UtcTime{});
        const std::string grant = "GRANT BINLOG MONITOR ON *.* TO `low`@`localhost`;";
        CHECK(finding(findings, "mysql grants").level == Verdict::fail);
        CHECK(finding(findings, "mysql grants").hint.find(grant) != std::string::npos);
        CHECK(finding(findings, "replication").level == Verdict::warn);  // not seen is not healthy
        CHECK(finding(findings, "replication").text.find("GRANT SLAVE MONITOR") != std::string::npos);
        server.run_sql("GRANT SLAVE MONITOR ON *.* TO low@localhost");
        const Error error = host.failing_backup();
        CHECK(error.kind() == ErrorKind::source);
        CHECK(to_problem(error).stage == "source");
        CHECK(error.hint().find(grant) != std::string::npos);

        server.run_sql(grant);
        findings.clear();
        check_database(findings, host.config, UtcTime{});
        CHECK(finding(findings, "mysql grants").level == Verdict::ok);
        CHECK(finding(findings, "data folder").level == Verdict::ok);
        CHECK(finding(findings, "replication").level == Verdict::ok);
        CHECK(finding(findings, "free space").text.find("data ") == 0);
        const auto backup = host.back_up();
        const auto manifest = manifest_of(host, backup.set);
        CHECK(manifest.stream == "xbstream");
        CHECK(manifest.source_tool == "mariadb-backup");
        CHECK(manifest.source_version.find("mariadb-backup based on MariaDB server") == 0);
        CHECK(manifest.server_version == backup.server_version);
        CHECK(manifest.position.lsn_to.value_or(0) > 0);
        CHECK(manifest.position.binlog_file);
        CHECK(host.open(backup.set).starts_with("XBSTCK01"));
        CHECK(host.listed() == std::vector<std::string>{backup.set});
        CHECK(std::filesystem::is_empty(host.state.temp_folder()));
        CHECK(host.state.runs().runs.back().backup.set == backup.set);
    }
    SECTION("mariadb-dump") {
        host.config.source = "mariadb-dump";
        // Without TRIGGER the dump would leave the triggers out and end with success.
        host.config.mysql_option_file =
            server.option_file("dump", "SELECT, SHOW VIEW, EVENT, LOCK TABLES ON *.*");
        const std::string grant = "GRANT TRIGGER ON *.* TO `dump`@`localhost`;";
        CHECK(host.failing_backup().hint().find(grant) != std::string::npos);
        server.run_sql(grant);
        const auto backup = host.back_up();
        CHECK(manifest_of(host, backup.set).stream == "sql");
        CHECK(manifest_of(host, backup.set).position.binlog_file);
        const std::string sql = host.open(backup.set);
        CHECK(sql.find("the-second-row") != std::string::npos);
        CHECK(sql.find("-- Dump completed") != std::string::npos);
    }
    SECTION("the server is away") {
        host.config.source = "mariadb-backup";
        host.config.mysql_option_file = host.folder.path() / "away.cnf";
        write_file_atomic(host.config.mysql_option_file, "[client]\nsocket=/nonexistent/s.sock\n");
        const Error error = host.failing_backup();
        CHECK(error.kind() == ErrorKind::source);
        CHECK(error.text().find("MySQL does not answer") != std::string::npos);
    }
    SECTION("an option file that others can read") {
        host.config.mysql_option_file = server.option_file("open", "RELOAD, PROCESS, BINLOG MONITOR ON *.*");
        std::filesystem::permissions(host.config.mysql_option_file, std::filesystem::perms(0644));
        const Error error = [&] {
            try {
                host.back_up();
            } catch (const Error& thrown) {
                return thrown;
            }
            FAIL("the backup succeeded");
            throw 0;
        }();
        CHECK(error.kind() == ErrorKind::insecure_file);
        CHECK(error.text().find(host.config.mysql_option_file.string()) != std::string::npos);
    }
}

TEST_CASE("any command can be a source, and only its success makes a set") {
    RegisteredHost host;
    host.config.source = "command";
    host.config.source_command = {"/bin/echo", "the plain bytes"};
    const auto backup = host.back_up();
    CHECK(host.open(backup.set) == "the plain bytes\n");
    CHECK(backup.source == "echo");

    host.config.source_command = {"/bin/sh", "-c", "echo half; echo broken disk >&2; exit 3"};
    Error error = host.failing_backup();
    CHECK(error.kind() == ErrorKind::source);
    CHECK(error.text().find("exit code 3") != std::string::npos);
    CHECK(error.text().find("broken disk") != std::string::npos);
    CHECK(to_problem(error).stage == "source");
    CHECK(host.state.runs().last_problem->kind == "source");

    host.config.source_command = {"/bin/sh", "-c", "echo half; kill -9 $$"};
    error = host.failing_backup();
    CHECK(error.kind() == ErrorKind::source);
    CHECK(error.text().find("signal 9") != std::string::npos);

    host.config.source_command = {"/nonexistent/tool"};
    CHECK(host.failing_backup().kind() == ErrorKind::tool_missing);
}

TEST_CASE("a source that stalls is given up, and a stop request ends it at once") {
    RegisteredHost host;
    host.config.source = "command";
    host.config.source_command = {"/bin/sh", "-c", "echo begin; sleep 600"};
    host.config.source_timeout = 1;
    const Error error = host.failing_backup();
    CHECK(error.kind() == ErrorKind::timeout);
    CHECK(to_problem(error).stage == "source");

    host.config.source_timeout = 600;
    std::stop_source stop;
    std::jthread stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        stop.request_stop();
    });
    const auto start = std::chrono::steady_clock::now();
    try {
        host.back_up(stop.get_token());
        FAIL("the backup succeeded");
    } catch (const Error& stopped) {
        CHECK(stopped.kind() == ErrorKind::interrupted);
    }
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
    CHECK(host.listed().empty());
}

TEST_CASE("a physical tool that ends without completed OK! has failed, whatever its exit status") {
    const TempDir folder;
    const auto program = folder.path() / "tool";
    const std::string head =
        "#!/bin/sh\necho stream\necho \"The latest check point (for incremental): '5'\" >&2\n";
    const auto finish = [&](const std::string& rest) {
        write_file_atomic(program, head + rest, 0700);
        Tool tool;
        tool.name = "mariadb-backup";
        tool.program = program;
        PhysicalSource source(tool, {}, folder.path(), std::chrono::seconds(20));
        std::string buffer(100, '\0');
        CHECK(source.read(buffer.data(), buffer.size()) == 7);
        return source.finish();
    };
    CHECK(finish("echo '[00] completed OK!' >&2\n").position.lsn_to == 5);
    CHECK_THROWS_AS(finish("exit 0\n"), Error);
    CHECK_THROWS_AS(finish("echo '[00] completed OK!' >&2\nexit 1\n"), Error);
    CHECK_THROWS_AS(finish("echo '[00] completed OK!' >&2\necho 'then it broke' >&2\n"), Error);
}

TEST_CASE("check warns loudly of data files that the server encrypts") {
    MariadbServer::Options options;
    options.key_file = "1;a7addd9adea9978fda19f21e6be987880e68ac92632ca052e5bb42b1a506939a\n";
    const MariadbServer server(options);
    server.run_sql("CREATE DATABASE shop; CREATE TABLE shop.old (a INT) ENGINE=MyISAM");
    RegisteredHost host;
    host.config.mysql_option_file =
        server.option_file("low",
                           "SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, RELOAD, PROCESS, "
                           "BINLOG MONITOR ON *.*");
    for (const auto& [source, level] :
         {std::pair("mariadb-backup", Verdict::warn), std::pair("mariadb-dump", Verdict::ok)}) {
        host.config.source = source;
        std::vector<Finding> findings;
        check_database(findings, host.config, UtcTime{});
        const auto& found = finding(findings, "encryption at rest");
        CHECK(found.level == level);
        CHECK(found.text.find("file_key_management") != std::string::npos);
        CHECK(finding(findings, "engines").text == "tables without transactions: MyISAM 1");
    }
}
