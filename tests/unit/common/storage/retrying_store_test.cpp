#include "common/storage/retrying_store.hpp"

#include <catch2/catch.hpp>
#include <cerrno>

#include "common/base/file.hpp"
#include "common/storage/local_store.hpp"
#include "tests/support/fake_time.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/scripted_store.hpp"

using namespace strongroom;
using namespace strongroom::storage;
using namespace std::chrono_literals;

namespace {

struct Bench {
    std::shared_ptr<test::MemoryStore> memory = std::make_shared<test::MemoryStore>();
    std::shared_ptr<test::ScriptedStore> script = std::make_shared<test::ScriptedStore>(memory);
    test::FakeTime time;
    std::stop_source stop;
    RetryingStore store{script, RetryPolicy{}, stop.get_token(), time};

    void fail_puts(int times, const Error& error) {
        script->before_put = [times, error](const std::string&, int number) {
            if (number <= times) throw error;
        };
    }
    Error failing_put() {
        try {
            store.put("a/object", "bytes");
        } catch (const Error& error) {
            return error;
        }
        FAIL("the put succeeded");
        throw 0;
    }
};

const Error broken(ErrorKind::network, "the connection broke");

}  // namespace

TEST_CASE("a put that fails twice is done the third time, with growing pauses") {
    Bench bench;
    bench.fail_puts(2, broken);
    bench.store.put("a/object", "bytes");
    CHECK(bench.memory->objects() == std::map<std::string, Bytes>{{"a/object", "bytes"}});
    CHECK(bench.store.retries() == 2);
    REQUIRE(bench.time.waits.size() == 2);
    CHECK((bench.time.waits[0] >= 250ms && bench.time.waits[0] <= 500ms));
    CHECK((bench.time.waits[1] >= 500ms && bench.time.waits[1] <= 1000ms));
}

TEST_CASE("what will not change by itself fails at once with its cause") {
    const auto error =
        GENERATE(system_error(ErrorKind::storage, "object a: cannot write", EACCES),
                 system_error(ErrorKind::storage, "object a: cannot write", ENOSPC),
                 system_error(ErrorKind::storage, "object a: cannot write", EROFS),
                 Error(ErrorKind::timeout, "put of a did not end"),
                 Error(ErrorKind::storage, "not a valid object key"), Error(ErrorKind::forbidden, "403"),
                 Error(ErrorKind::corrupt, "too long"), Error(ErrorKind::not_found, "no object"),
                 Error(ErrorKind::interrupted, "stopped"));
    Bench bench;
    bench.fail_puts(1, error);
    const Error got = bench.failing_put();
    CHECK(got.kind() == error.kind());
    CHECK(got.text() == error.text());
    CHECK(bench.script->puts == 1);
    CHECK(bench.time.waits.empty());
}

TEST_CASE("attempts end by number and by time, with the last cause") {
    Bench bench;
    SECTION("by number") {
        bench.fail_puts(1000, system_error(ErrorKind::storage, "cannot sync", EIO));
        const Error error = bench.failing_put();
        CHECK(error.text() == "cannot sync: Input/output error (after 6 attempts)");
        CHECK(error.system_code() == EIO);
        CHECK(bench.script->puts == 6);
        // Who cleans up after that does not wait for each object again.
        bench.failing_put();
        CHECK(bench.script->puts == 7);
        bench.script->before_put = nullptr;
        bench.store.put("a/object", "bytes");
        bench.script->puts = 0;
        bench.fail_puts(1, broken);
        bench.store.put("a/object", "bytes");  // it works again, so it is patient again
    }
    SECTION("by time: attempts that are slow themselves") {
        bench.script->before_put = [&](const std::string&, int) {
            bench.time.advance(2min);
            throw broken;
        };
        bench.failing_put();
        CHECK(bench.script->puts == 3);
    }
}

TEST_CASE("a request to stop ends the waiting with the error at hand") {
    Bench bench;
    bench.fail_puts(1000, broken);
    bench.time.on_wait = [&] { bench.stop.request_stop(); };
    CHECK(bench.failing_put().text() == "the connection broke");
    CHECK(bench.script->puts == 1);
}

TEST_CASE("gets, lists and removals are retried, too") {
    Bench bench;
    bench.memory->put("a/object", "bytes");
    bench.script->before_get = [](const std::string&, int number) {
        if (number <= 3) throw broken;
    };
    MemFile into("test");
    bench.store.get_into("a/object", 100, into);
    CHECK(into.view() == "bytes");
    CHECK(bench.store.retries() == 3);
}

TEST_CASE("a put that broke midway or lost its answer, and its repetition, leave one whole object") {
    const TempDir dir;
    const auto local = std::make_shared<LocalStore>(dir.path(), false);
    const auto script = std::make_shared<test::ScriptedStore>(local);
    test::FakeTime time;
    RetryingStore store(script, {}, {}, time);
    const Bytes whole(300'000, 'w');
    script->before_put = [&](const std::string& key, int number) {
        if (number == 1) local->put(key, whole);  // stored, but the answer is lost
        if (number == 2) {                        // a writer that died in the middle
            std::filesystem::create_directories(dir.path() / "a");
            write_file_atomic(dir.path() / "a/.object.tmp.1", whole.substr(0, 1000));
        }
        if (number <= 2) throw broken;
    };
    MemFile from("test", whole.size());
    std::copy(whole.begin(), whole.end(), from.data());
    store.put_from("a/object", from);
    CHECK(from.view() == whole);  // still the caller's
    const auto objects = store.list("");
    REQUIRE(objects.size() == 1);
    CHECK(objects[0].key == "a/object");
    CHECK(store.get("a/object", whole.size()).view() == whole);
}
