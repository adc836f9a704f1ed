// What runs before and after a backup, by the host's own configuration.
#include "agent/job/hooks.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/integration/agent/registered_host.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace strongroom::test;

namespace {

struct HookedHost : RegisteredHost {
    HookedHost() {
        config.source = "command";
        config.source_command = {"/bin/echo", "the plain text"};
        config.hook_before = hook("before", "0");
        config.hook_after = hook("after", "0");
    }
    // A program that notes its name and what it is told, and ends as it is told.
    std::vector<std::string> hook(const std::string& name, const std::string& status) {
        const auto script = folder.path() / name;
        std::ofstream(script)
            << "echo \"$1 ${STRONGROOM_BACKUP-}${STRONGROOM_RESULT-} ${STRONGROOM_SET-}\" >>\"$2\"\n"
            << "echo 'the disk is away' >&2; exit " << status << "\n";
        return {"/bin/sh", script.string(), name, notes().string()};
    }
    std::filesystem::path notes() const { return folder.path() / "notes"; }
    std::string noted() const {
        return std::filesystem::exists(notes()) ? read_file(notes(), 10'000) : std::string();
    }
};

}  // namespace

TEST_CASE("hooks run around a backup and are told what came of it") {
    HookedHost host;
    const auto made = host.back_up();
    CHECK(host.noted() == "before full \nafter succeeded " + made.set + "\n");
}

TEST_CASE("a hook that fails: before, no backup is made, after, it stays what it is") {
    HookedHost host;
    SECTION("before") {
        host.config.hook_before = host.hook("before", "3");
        const Error error = host.failing_backup();
        CHECK(error.kind() == ErrorKind::source);
        CHECK(error.text() == "source: hook-before failed, exit code 3: the disk is away");
        CHECK(host.noted() == "before full \nafter failed \n");
    }
    SECTION("before, that does not end") {
        host.config.hook_before = {"/bin/sleep", "100"};
        host.config.hook_timeout = 1;
        CHECK(host.failing_backup().kind() == ErrorKind::timeout);
    }
    SECTION("before, that is not there") {
        host.config.hook_before = {"/no/such/program"};
        CHECK(host.failing_backup().kind() == ErrorKind::tool_missing);
    }
    SECTION("after") {
        host.config.hook_after = host.hook("after", "1");
        CHECK(host.listed() == std::vector<std::string>{host.back_up().set});
    }
    SECTION("the backup itself") {
        host.config.source_command = {"/bin/false"};
        host.failing_backup();
        CHECK(host.noted() == "before full \nafter failed \n");
    }
}
