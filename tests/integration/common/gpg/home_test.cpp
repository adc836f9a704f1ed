// Throw-away homes of processes that were killed.
#include "common/gpg/home.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "common/base/file.hpp"
#include "common/gpg/keys.hpp"

using namespace strongroom;
namespace fs = std::filesystem;

TEST_CASE("the home of a killed process is removed with its gpg-agent, those of living processes stay") {
    gpg::initialise();
    const TempDir dir;
    const auto note = dir.path() / "home";
    const gpg::TempHome mine;
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            const gpg::TempHome home;
            gpg::generate_key(home.home(), "child@test.invalid", "ed25519");
            write_file_atomic(note, home.home().path().string());
            ::pause();
        } catch (...) {
        }
        ::_exit(1);
    }
    for (int i = 0; i < 600 && !fs::exists(note); ++i) ::usleep(50'000);
    const fs::path theirs = read_file(note, 100);
    REQUIRE(fs::exists(theirs / "S.gpg-agent"));
    gpg::remove_abandoned_homes();
    CHECK(fs::exists(theirs / "pubring.kbx"));

    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(gpg::remove_abandoned_homes() >= 1);
    CHECK_FALSE(fs::exists(theirs));
    CHECK(fs::exists(mine.home().path() / "gpg.conf"));
    // An agent that heard of its end is gone for good: it would have made its sockets again.
    ::usleep(200'000);
    CHECK_FALSE(fs::exists(theirs));
}
