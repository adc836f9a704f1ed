#include "common/storage/timeout_store.hpp"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

#include "common/base/error.hpp"
#include "common/storage/guarded_store.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/scripted_store.hpp"

using namespace strongroom;
using strongroom::test::error_of;
using namespace strongroom::storage;
using namespace std::chrono_literals;

namespace {

// Hangs until the test lets it go; shared, because an operation that was left alone outlives the test case.
struct Gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
    void wait() {
        std::unique_lock lock(mutex);
        opened.wait(lock, [this] { return open; });
    }
    void let_go() {
        const std::lock_guard lock(mutex);
        open = true;
        opened.notify_all();
    }
};

struct TimeoutBench {
    std::shared_ptr<Gate> gate = std::make_shared<Gate>();
    std::shared_ptr<test::MemoryStore> memory = std::make_shared<test::MemoryStore>();
    std::shared_ptr<test::ScriptedStore> script = std::make_shared<test::ScriptedStore>(memory);
    ~TimeoutBench() { gate->let_go(); }
    void hang_puts() {
        script->before_put = [held = gate](const std::string&, int) { held->wait(); };
    }
    void hang_gets() {
        script->before_get = [held = gate](const std::string&, int) { held->wait(); };
    }
};

MemFile filled(const std::string& text) {
    MemFile out("test", text.size());
    std::copy(text.begin(), text.end(), out.data());
    return out;
}

}  // namespace

TEST_CASE("what ends in time passes through, and memory comes back to its owner") {
    TimeoutBench bench;
    TimeoutStore store(bench.script, 10s);
    MemFile from = filled("bytes");
    const char* place = from.data();
    store.put_from("a/object", from);
    CHECK(from.data() == place);
    CHECK(from.view() == "bytes");
    MemFile into = filled("longer than that");
    store.get_into("a/object", 100, into);
    CHECK(into.view() == "bytes");
    CHECK(error_of([&] { store.get_into("a/none", 100, into); }).kind() == ErrorKind::not_found);
    into.resize(3);  // still a file of its own
    bench.script->before_put = [](const std::string&, int) { throw Error(ErrorKind::storage, "EIO"); };
    CHECK(error_of([&] { store.put_from("a/object", from); }).kind() == ErrorKind::storage);
    CHECK(from.view() == "bytes");
}

TEST_CASE("a put that hangs for ever ends with the object's name, and the store is given up") {
    TimeoutBench bench;
    bench.hang_puts();
    TimeoutStore store(bench.script, 300ms);
    MemFile from = filled("bytes");
    const auto start = std::chrono::steady_clock::now();
    const Error error = error_of([&] { store.put_from("a/object", from); });
    CHECK(error.kind() == ErrorKind::timeout);
    CHECK(error.text() == "put of a/object did not end within 300 ms");
    CHECK(error.hint().find("memory:") != std::string::npos);
    CHECK(from.size() == 0);  // its bytes belong to the thread that still writes them
    from.resize(10);          // and the caller's own file is a new one
    CHECK(error_of([&] { store.remove("a/object"); }).text() ==
          "remove of a/object was not tried: the store hung before");
    CHECK(std::chrono::steady_clock::now() - start < 2s);
    // The write that was left alone comes to its end with the bytes that it was given.
    bench.gate->let_go();
    for (int i = 0; i < 200 && !bench.memory->stat("a/object"); ++i) std::this_thread::sleep_for(10ms);
    CHECK(bench.memory->get("a/object", 100).view() == "bytes");
}

TEST_CASE("a small put and a get that hang end, too") {
    TimeoutBench bench;
    bench.hang_puts();
    bench.hang_gets();
    CHECK(error_of([&] { TimeoutStore(bench.script, 200ms).put("a/object", "x"); }).kind() ==
          ErrorKind::timeout);
    CHECK(error_of([&] { TimeoutStore(bench.script, 200ms).get("a/object", 9); }).kind() ==
          ErrorKind::timeout);
}

TEST_CASE("a request to stop does not wait for the whole limit") {
    TimeoutBench bench;
    bench.hang_puts();
    std::stop_source stop;
    TimeoutStore store(bench.script, 1h, stop.get_token());
    stop.request_stop();
    const auto start = std::chrono::steady_clock::now();
    CHECK(error_of([&] { store.put("a/object", "x"); }).kind() == ErrorKind::interrupted);
    CHECK(std::chrono::steady_clock::now() - start < 10s);
}

TEST_CASE("a guarded store does not take waiting for a rate for hanging, and does not retry what hangs") {
    TimeoutBench bench;
    SECTION("a rate") {
        RateLimiter writes(1000);
        const auto store = guard_store(bench.script, {.timeout = 500ms, .retry = {}, .writes = &writes});
        store->put("a/object", Bytes(1500, 'x'));  // a second and a half
        CHECK(bench.memory->objects().size() == 1);
    }
    SECTION("hanging") {
        bench.hang_puts();
        const auto store = guard_store(bench.script, {.timeout = 300ms, .retry = {}});
        CHECK(error_of([&] { store->put("a/object", "x"); }).kind() == ErrorKind::timeout);
        CHECK(bench.script->puts == 1);
        CHECK(store->retries() == 0);
    }
}
