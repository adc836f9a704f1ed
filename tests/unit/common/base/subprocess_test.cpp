#include "common/base/subprocess.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/unique_fd.hpp"

using namespace strongroom;
using Catch::Matchers::Contains;

namespace {

SpawnOptions command(std::vector<std::string> argv) {
    return {.argv = std::move(argv), .fds = {}, .environment = {}, .directory = {}};
}

}  // namespace

TEST_CASE("a child's output and exit status come back") {
    const auto result = run_program(command({"sh", "-c", "cat; echo err >&2; exit 3"}), "input");
    CHECK(result.out == "input");
    CHECK(result.err == "err\n");
    CHECK(result.status.code == 3);
    CHECK_FALSE(result.status.ok());
    CHECK(result.status.describe() == "exit code 3");
}

TEST_CASE("a child killed by a signal is never a success") {
    const auto result = run_program(command({"sh", "-c", "kill -9 $$"}));
    CHECK_FALSE(result.status.ok());
    CHECK_THAT(result.status.describe(), Contains("signal 9"));
}

TEST_CASE("a missing program and a hanging one are errors") {
    CHECK_THROWS_WITH(run_program(command({"no-such-program-here"})), Contains("not installed"));
    CHECK_THROWS_WITH(run_program(command({"sleep", "30"}), {}, std::chrono::milliseconds(100)),
                      Contains("did not finish"));
}

TEST_CASE("children inherit named descriptors only, and no secrets from the environment") {
    ::setenv("STRONGROOM_TEST_SECRET", "s3cret", 1);
    const auto pipe = make_pipe();
    auto options = command({"sh", "-c", "env; ls /proc/self/fd; echo through >&7"});
    options.fds[7] = pipe.write.get();
    const auto result = run_program(options);
    ::unsetenv("STRONGROOM_TEST_SECRET");
    REQUIRE(result.status.ok());
    CHECK_THAT(result.out, !Contains("s3cret"));
    char buffer[8] = "";
    CHECK(::read(pipe.read.get(), buffer, 8) == 8);
    CHECK(std::string(buffer, 7) == "through");
    CHECK_THAT(result.out, !Contains("200"));
}

TEST_CASE("a child that is not waited for ends with its owner") {
    pid_t pid = 0;
    {
        const Subprocess child(command({"sleep", "60"}));
        pid = child.pid();
        CHECK(::kill(pid, 0) == 0);
    }
    CHECK(::kill(pid, 0) != 0);
}
