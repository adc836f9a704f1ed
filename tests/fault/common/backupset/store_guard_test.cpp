// Sealing into, and opening from, a guarded store: what passes is retried, what hangs ends the backup.
#include <catch2/catch.hpp>
#include <cerrno>
#include <thread>

#include "common/storage/guarded_store.hpp"
#include "tests/support/scripted_store.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace std::chrono_literals;

namespace {

struct GuardBench : test::SetBench {
    std::shared_ptr<test::ScriptedStore> script = std::make_shared<test::ScriptedStore>(
        std::shared_ptr<storage::ObjectStore>(&store, [](storage::ObjectStore*) {}));
    storage::Guard guard{.timeout = 500ms, .retry = {.first_pause = 2ms}};

    Bytes plain() const {
        Bytes out;
        for (int i = 0; out.size() < 40'000; ++i) out += std::to_string(i * 7919) + ";";
        return out;
    }
    Error failing_seal(storage::ObjectStore& into) {
        test::BufferSource source(plain());
        try {
            backupset::seal(options(), next_set(), source, into, home(), clock);
        } catch (const Error& error) {
            CHECK(source.aborted);
            CHECK(list().empty());
            return error;
        }
        FAIL("it was sealed");
        throw 0;
    }
};

}  // namespace

TEST_CASE("puts and gets that fail twice and then work make a whole set, byte for byte") {
    GuardBench bench;
    std::map<std::string, int> tries;
    std::mutex mutex;
    const auto twice = [&](const std::string& key, int) {
        const std::lock_guard lock(mutex);
        if (++tries[key] <= 2) throw system_error(ErrorKind::storage, "object " + key, EIO);
    };
    bench.script->before_put = twice;
    const auto store = storage::guard_store(bench.script, bench.guard);
    const Bytes plain = bench.plain();
    test::BufferSource source(plain);
    const std::string set = bench.next_set();
    const auto manifest = backupset::seal(bench.options(), set, source, *store, bench.home(), bench.clock);
    const auto objects =
        static_cast<std::int64_t>(manifest.segments.size()) + 3;  // envelope, manifest, signature
    CHECK(store->retries() == 2 * objects);
    CHECK(static_cast<std::int64_t>(bench.store.objects().size()) == objects);

    tries.clear();
    bench.script->before_get = twice;
    test::CollectingTarget target;
    backupset::open_set({}, bench.read(set), *store, bench.home(), target);
    CHECK(target.committed);
    CHECK(target.bytes == plain);
}

TEST_CASE("an error that will not pass ends the backup at once, with its cause") {
    GuardBench bench;
    bench.script->before_put = [](const std::string& key, int number) {
        if (number >= 3) throw system_error(ErrorKind::storage, "object " + key, ENOSPC);
    };
    const auto store = storage::guard_store(bench.script, bench.guard);
    const Error error = bench.failing_seal(*store);
    CHECK(error.kind() == ErrorKind::storage);
    CHECK(error.text().starts_with("store: object "));
    CHECK(error.text().ends_with("No space left on device"));
    CHECK(store->retries() == 0);
    CHECK(bench.store.objects().empty());
}

TEST_CASE("a put that hangs for ever ends the backup, and the next one works") {
    GuardBench bench;
    std::atomic<bool> open = false;
    std::atomic<int> hanging = 0;
    bench.script->before_put = [&](const std::string&, int number) {
        if (number < 4) return;
        ++hanging;
        while (!open) std::this_thread::sleep_for(5ms);
        --hanging;
    };
    const auto start = std::chrono::steady_clock::now();
    const Error error = bench.failing_seal(*storage::guard_store(bench.script, bench.guard));
    CHECK(error.kind() == ErrorKind::timeout);
    CHECK(error.text().starts_with("store: put of "));
    CHECK(std::chrono::steady_clock::now() - start < 15s);
    CHECK(hanging > 0);
    open = true;
    while (hanging > 0) std::this_thread::sleep_for(5ms);
    CHECK(bench.list().empty());
    bench.seal(bench.plain());
    CHECK(bench.list().size() == 1);
}
