// The process is killed at every call of a backup that changes the store. What is there afterwards is a whole
// committed set or none, and what was being written is swept without touching what lives.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "tests/fault/common/backupset/disk_bench.hpp"
#include "tests/fault/faulty_calls.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using test::BufferSource;
using test::DiskBench;
using test::FaultyCalls;
using test::SetBench;

namespace {

constexpr int crash_segments = 3;

struct Killed {
    bool by_rule = false;  // else the backup came to its end
    long calls = 0;        // of the rule's kind
};

// Seals in a child process under `rule`; the child is killed there, or ends with success.
Killed seal_in_child(DiskBench& disk, const std::string& set, const std::string& rule) {
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            const FaultyCalls fault(rule);
            BufferSource source(DiskBench::segments(crash_segments));
            seal(disk.bench.options(), set, source, disk.store, disk.bench.home(), disk.bench.clock);
            ::_exit(static_cast<int>(std::min(200L, FaultyCalls::seen())));
        } catch (...) {
            ::_exit(255);
        }
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) {
        CHECK(WTERMSIG(status) == SIGKILL);
        return {true, 0};
    }
    REQUIRE(WEXITSTATUS(status) != 255);
    return {false, WEXITSTATUS(status)};
}

std::size_t hidden_files(const std::filesystem::path& folder) {
    std::size_t out = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.path().filename().string().starts_with(".")) ++out;
    return out;
}

}  // namespace

TEST_CASE("SIGKILL before any fsync, rename or write of a backup") {
    DiskBench disk;
    SetBench& bench = disk.bench;
    std::size_t swept = 0;
    int committed = 0;
    int killed = 0;
    const auto try_kill = [&](const std::string& call, long number) {
        const std::string rule = call + " -9 " + std::to_string(number) + " " + disk.root().string();
        INFO(rule);
        const std::string set = bench.next_set();
        const Killed outcome = seal_in_child(disk, set, rule);
        // As the next start of an agent does.
        const std::size_t hidden = hidden_files(disk.root());
        std::size_t removed = disk.store.remove_unfinished(bench.server + "/");
        // A child that was being started at that moment has the files open until its exec.
        for (int i = 0; i < 100 && removed < hidden; ++i) {
            ::usleep(10'000);
            removed += disk.store.remove_unfinished(bench.server + "/");
        }
        CHECK(removed == hidden);
        CHECK(hidden_files(disk.root()) == 0);
        swept += hidden;
        const auto sets = list_sets(disk.store, bench.server, bench.home(), bench.identity);
        CHECK(sets.size() <= 1);
        if (!sets.empty()) {
            CHECK(sets[0].problem.empty());
            test::CollectingTarget target;
            open_set({2}, sets[0].manifest.value(), disk.store, bench.home(), target);
            CHECK(target.bytes == DiskBench::segments(crash_segments));
            ++committed;
        }
        for (const auto& object : disk.store.list(set_prefix(bench.server, set)))
            disk.store.remove(object.key);
        CHECK(std::filesystem::is_empty(disk.root()));
        if (outcome.by_rule) ++killed;
        return outcome.by_rule;
    };
    const auto at_each = [&](const char* call, long most) {
        long number = 1;
        while (number <= most && try_kill(call, number)) ++number;
        CHECK(number > 2 * (crash_segments + 3) / 2);
        CHECK(number <= most);
    };
    at_each("fsync", 100);
    at_each("rename", 100);
    const long bytes = 3000;
    for (long offset = 0; offset < bytes; offset += bytes / 15) try_kill("write", offset);
    CHECK(killed > 25);
    CHECK(swept > 10);
    CHECK(committed > 2);  // killed after the commit, or not at all
    disk.check_next_works();
}

TEST_CASE("a sweep leaves what a living process is writing") {
    DiskBench disk;
    const auto folder = disk.root() / disk.bench.server / "sets";
    std::filesystem::create_directories(folder);
    const pid_t child = ::fork();
    if (child == 0) {
        // Stopped in the middle of a put, until it is told to go on.
        const FaultyCalls fault("fsync -19 1 .tmp");  // SIGSTOP
        write_file_atomic(folder / "object", "12345");
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
    REQUIRE(WIFSTOPPED(status));
    CHECK(hidden_files(disk.root()) == 1);
    CHECK(disk.store.remove_unfinished(disk.bench.server + "/") == 0);
    CHECK(hidden_files(disk.root()) == 1);
    SECTION("which then comes to its end") {
        ::kill(child, SIGCONT);
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(WEXITSTATUS(status) == 0);
        CHECK(hidden_files(disk.root()) == 0);
        CHECK(read_file(folder / "object", 10) == "12345");
    }
    SECTION("which is then killed") {
        ::kill(child, SIGKILL);
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(disk.store.remove_unfinished(disk.bench.server + "/") == 1);
        CHECK_FALSE(std::filesystem::exists(disk.root() / disk.bench.server));
    }
}
