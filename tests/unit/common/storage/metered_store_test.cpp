#include "common/storage/metered_store.hpp"

#include <catch2/catch.hpp>
#include <cerrno>

#include "common/storage/guarded_store.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/fake_time.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/scripted_store.hpp"

using namespace strongroom;
using namespace strongroom::storage;
using namespace std::chrono_literals;
using test::error_of;

TEST_CASE("operations, bytes, seconds and errors of a store are counted") {
    test::FakeTime time;
    const auto script = std::make_shared<test::ScriptedStore>(std::make_shared<test::MemoryStore>());
    StoreMeter meter;
    MeteredStore store(script, meter, time);
    script->before_put = [&](const std::string& key, int) {
        time.advance(2s);
        if (key == "a/full") throw system_error(ErrorKind::storage, "object", ENOSPC);
        if (key == "a/bug") throw std::runtime_error("a bug");
    };
    script->before_get = [&](const std::string&, int) { time.advance(500ms); };
    store.put("a/b", "12345");
    MemFile from("from", 7);
    store.put_from("a/c", from);
    CHECK(error_of([&] { store.put("a/full", "123"); }).system_code() == ENOSPC);
    CHECK_THROWS_WITH(store.put("a/bug", "123"), "a bug");
    CHECK(store.get("a/b", 100).size() == 5);
    MemFile into("into");
    store.get_into("a/c", 100, into);
    CHECK(error_of([&] { store.get("a/none", 100); }).kind() == ErrorKind::not_found);
    CHECK(store.stat("a/b"));
    CHECK_FALSE(store.stat("a/none"));
    CHECK(store.list("a/").size() == 2);
    CHECK(store.list_folders("").size() == 1);
    store.remove("a/b");

    auto figures = meter.figures();
    const auto& puts = figures.operations[Operation::put];
    CHECK(puts.count == 4);
    CHECK(puts.bytes == 12);
    CHECK(puts.seconds == Approx(8));
    CHECK(puts.errors ==
          std::map<ErrorKind, std::int64_t>{{ErrorKind::storage, 1}, {ErrorKind::internal, 1}});
    const auto& gets = figures.operations[Operation::get];
    CHECK(gets.count == 3);
    CHECK(gets.bytes == 12);
    CHECK(gets.seconds == Approx(1.5));
    CHECK(gets.errors == std::map<ErrorKind, std::int64_t>{{ErrorKind::not_found, 1}});
    CHECK(figures.operations[Operation::stat].count == 2);
    CHECK(figures.operations[Operation::stat].errors.empty());
    CHECK(figures.operations[Operation::list].count == 2);
    CHECK(figures.operations[Operation::remove].count == 1);
    CHECK(figures.retries == 0);
}

TEST_CASE("each attempt of a guarded store counts, and those that repeat one count besides") {
    const auto script = std::make_shared<test::ScriptedStore>(std::make_shared<test::MemoryStore>());
    script->before_put = [](const std::string&, int number) {
        if (number <= 2) throw Error(ErrorKind::network, "it broke");
    };
    StoreMeter meter;
    const auto store = guard_store(script, {.retry = {.first_pause = 1ms}, .meter = &meter});
    store->put("a/b", "12345");
    auto figures = meter.figures();
    CHECK(figures.operations[Operation::put].count == 3);
    CHECK(figures.operations[Operation::put].bytes == 5);
    CHECK(figures.operations[Operation::put].errors.at(ErrorKind::network) == 2);
    CHECK(figures.retries == 2);
    CHECK(store->retries() == 2);
}
