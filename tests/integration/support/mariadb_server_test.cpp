#include "tests/support/mariadb_server.hpp"

#include <signal.h>

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/subprocess.hpp"

using namespace strongroom;
using namespace strongroom::test;

TEST_CASE("a private server loads data, knows a user by its grants, restarts, and is gone afterwards") {
    pid_t pid = 0;
    std::filesystem::path folder;
    {
        MariadbServer server;
        folder = server.folder();
        server.load("world", "world_schema.inc");
        server.load("world", "world.inc");
        CHECK(server.run_sql("SELECT COUNT(*) FROM City", "world") == "4079\n");

        const auto file = server.option_file("limited", "SELECT ON world.Country");
        const auto as_limited = [&](const std::string& sql) {
            return run_program({.argv = {"mariadb", "--defaults-file=" + file.string(), "-N", "-e", sql},
                                .fds = {},
                                .environment = {},
                                .directory = {}});
        };
        CHECK(as_limited("SELECT COUNT(*) FROM world.Country").out == "239\n");
        CHECK_FALSE(as_limited("SELECT COUNT(*) FROM world.City").status.ok());
        CHECK_THROWS_AS(server.run_sql("SELECT nonsense FROM nowhere"), Error);

        server.kill();
        server.start();
        CHECK(server.run_sql("SELECT COUNT(*) FROM City", "world") == "4079\n");
        server.stop();
        server.start();
        pid = server.pid();
    }
    CHECK(::kill(pid, 0) != 0);
    CHECK_FALSE(std::filesystem::exists(folder));
}
