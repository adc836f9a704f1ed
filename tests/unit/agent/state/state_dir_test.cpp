#include "agent/state/state_dir.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/file.hpp"

using namespace strongroom;
using namespace strongroom::agent;

TEST_CASE("what the daemon and a command by hand remember at the same moment is kept") {
    const TempDir folder;
    const std::filesystem::path path = folder.path() / "state";
    const StateDir made(path, true);
    constexpr int each = 25;
    const auto remember = [&](const std::string& who) {
        const StateDir state(path);
        for (int i = 0; i < each; ++i)
            state.change_runs([&](RunState& runs) { runs.add_refusal(who + std::to_string(i)); });
    };
    auto daemon = std::async(std::launch::async, remember, "daemon ");
    auto by_hand = std::async(std::launch::async, remember, "by hand ");
    daemon.get();
    by_hand.get();
    CHECK(made.runs().refusals.size() == 2 * each);
}

TEST_CASE("looking whether a backup runs neither finds nor disturbs one") {
    const TempDir folder;
    const StateDir state(folder.path() / "state", true);
    CHECK_FALSE(state.is_backup_running());
    auto looking = std::async(std::launch::async, [&] {
        bool seen = false;
        for (int i = 0; i < 2000; ++i) seen = state.is_backup_running() || seen;
        return seen;
    });
    for (int i = 0; i < 2000; ++i)
        if (state.is_backup_running()) FAIL_CHECK("two who look take each other for a backup");
    CHECK_FALSE(looking.get());
    std::atomic<bool> done = false;
    auto once_more = std::async(std::launch::async, [&] {
        for (; !done; std::this_thread::sleep_for(std::chrono::milliseconds(1))) state.is_backup_running();
    });
    for (int i = 0; i < 500; ++i) CHECK_NOTHROW(state.lock_backup());
    done = true;
    once_more.get();
    const FileLock held = state.lock_backup();
    CHECK(state.is_backup_running());
    CHECK_THROWS_AS(state.lock_backup(), Error);
}
