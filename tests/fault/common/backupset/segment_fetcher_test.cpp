// Segments are fetched ahead of those who open them: only so far ahead, in order, and to a clean end whatever
// fails or is not wanted any more.
#include "common/backupset/segment_fetcher.hpp"

#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <random>

#include "common/base/error.hpp"
#include "common/storage/guarded_store.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/scripted_store.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using namespace std::chrono_literals;
using test::CollectingTarget;
using test::error_of;

namespace {

constexpr std::size_t fetched_bytes = 4096;

struct FetchBench : test::SetBench {
    explicit FetchBench(int segments) {
        for (int i = 0; i < segments; ++i) plain += Bytes(fetched_bytes, static_cast<char>('a' + i));
        manifest = seal(plain);
    }
    std::string key(int index) const { return segment_key(server, manifest.set, index); }
    Error failing_open(const OpenOptions& with, storage::ObjectStore& from, CollectingTarget& target,
                       const OnProgress& on_progress = {}) {
        return error_of([&] { open_set(with, manifest, from, home(), target, on_progress); });
    }

    Bytes plain;
    Manifest manifest;
    std::shared_ptr<test::ScriptedStore> script = std::make_shared<test::ScriptedStore>(
        std::shared_ptr<storage::ObjectStore>(&store, [](storage::ObjectStore*) {}));
};

// Waits until it is so, and then long enough for more to happen than should.
template <class Condition>
bool settles(Condition condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(50ms);
    return condition();
}

std::ptrdiff_t threads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}
bool has_children() {
    return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

}  // namespace

TEST_CASE("no more segments are held than may be, and no more are fetched at once") {
    FetchBench bench(12);
    std::atomic<int> fetching = 0;
    std::atomic<int> most = 0;
    bench.script->before_get = [&](const std::string&, int) {
        most = std::max(most.load(), ++fetching);
        std::this_thread::sleep_for(10ms);
        --fetching;
    };
    SegmentFetcher fetcher(bench.manifest, *bench.script, 2, 5);
    CHECK(settles([&] { return bench.script->gets == 5; }));
    CHECK(most == 2);
    MemFile first = fetcher.take(0);
    MemFile second = fetcher.take(1);
    CHECK(settles([&] { return bench.script->gets == 5; }));  // what is lent counts
    fetcher.give_back(std::move(second));
    CHECK(settles([&] { return bench.script->gets == 6; }));
    fetcher.give_back(std::move(first));
    CHECK(settles([&] { return bench.script->gets == 7; }));
    for (std::size_t i = 2; i < 12; ++i) {
        MemFile stored = fetcher.take(i);
        CHECK(stored.view() == bench.store.objects().at(bench.key(static_cast<int>(i))));
        fetcher.give_back(std::move(stored));
    }
    CHECK(bench.script->gets == 12);
    CHECK(most == 2);
}

TEST_CASE("after stop() nothing is begun, and what was begun can be taken") {
    FetchBench bench(6);
    std::atomic<bool> open = false;
    bench.script->before_get = [&](const std::string&, int) {
        while (!open) std::this_thread::sleep_for(1ms);
    };
    SegmentFetcher fetcher(bench.manifest, *bench.script, 2, 4);
    CHECK(settles([&] { return bench.script->gets == 2; }));
    fetcher.stop();
    CHECK(error_of([&] { fetcher.take(2); }).kind() == ErrorKind::interrupted);
    open = true;
    CHECK(fetcher.take(1).size() > 0);
    CHECK(fetcher.take(0).size() > 0);
    CHECK(bench.script->gets == 2);
}

TEST_CASE("a segment that cannot be fetched ends the work behind it, not what comes before it") {
    FetchBench bench(12);
    std::atomic<bool> failed = false;
    bench.script->before_get = [&](const std::string& key, int) {
        if (key == bench.key(3)) {
            failed = true;
            throw system_error(ErrorKind::storage, "object " + key, EACCES);
        }
        if (key == bench.key(0))  // the slowest: it comes after the failure
            while (!failed) std::this_thread::sleep_for(1ms);
    };
    const auto before = threads();
    CollectingTarget target;
    const Error error = bench.failing_open({.workers = 2, .fetches = 4}, *bench.script, target);
    CHECK(error.kind() == ErrorKind::storage);
    CHECK(error.text().find("segment 3 (" + bench.key(3) + ")") != std::string::npos);
    CHECK(target.bytes == bench.plain.substr(0, 3 * fetched_bytes));
    CHECK_FALSE(target.committed);
    CHECK(bench.script->gets <= 7);  // the envelope, and what may be held
    CHECK(threads() == before);
    CHECK_FALSE(has_children());
}

TEST_CASE("a restore that is stopped waits for what it began, and leaves no thread and no child") {
    FetchBench bench(12);
    const auto before = threads();
    for (const int at : {1, 2, 5}) {
        std::atomic<int> under_way = 0;
        bench.script->before_get = [&](const std::string&, int) {
            ++under_way;
            std::this_thread::sleep_for(5ms);
            --under_way;
        };
        CollectingTarget target;
        const Error error =
            bench.failing_open({.workers = 2, .fetches = 4}, *bench.script, target, [&](const Progress& now) {
                if (now.segments == at) throw Error(ErrorKind::interrupted, "stopped");
            });
        CHECK(error.text() == "stopped");
        CHECK(target.bytes == bench.plain.substr(0, static_cast<std::size_t>(at) * fetched_bytes));
        CHECK_FALSE(target.committed);
        CHECK(under_way == 0);
        CHECK(threads() == before);
        CHECK_FALSE(has_children());
    }
}

TEST_CASE("a get that hangs ends the restore") {
    FetchBench bench(8);
    std::atomic<bool> open = false;
    std::atomic<int> hanging = 0;
    bench.script->before_get = [&](const std::string& key, int) {
        if (key != bench.key(2)) return;
        ++hanging;
        while (!open) std::this_thread::sleep_for(1ms);
        --hanging;
    };
    const auto before = threads();
    CollectingTarget target;
    const auto store = storage::guard_store(bench.script, {.timeout = 300ms, .retry = {.attempts = 1}});
    const auto start = std::chrono::steady_clock::now();
    const Error error = bench.failing_open({.workers = 2, .fetches = 3}, *store, target);
    CHECK(error.kind() == ErrorKind::timeout);
    CHECK(error.text().find("segment 2 (") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - start < 5s);
    CHECK(target.bytes == bench.plain.substr(0, 2 * fetched_bytes));
    CHECK(hanging == 1);
    open = true;
    CHECK(settles([&] { return threads() == before; }));
}

TEST_CASE("segments that arrive in any order open in their own") {
    FetchBench bench(20);
    std::minstd_rand random(4711);
    std::mutex mutex;
    bench.script->before_get = [&](const std::string&, int) {
        const auto pause = [&] {
            const std::lock_guard lock(mutex);
            return std::chrono::microseconds(random() % 8000);
        }();
        std::this_thread::sleep_for(pause);
    };
    for (const int workers : {1, 2, 5}) {
        for (const int fetches : {1, 2, 7, 40}) {
            CAPTURE(workers, fetches);
            CollectingTarget target;
            open_set({workers, fetches}, bench.manifest, *bench.script, bench.home(), target);
            CHECK(target.committed);
            CHECK(target.bytes == bench.plain);
        }
    }
}
