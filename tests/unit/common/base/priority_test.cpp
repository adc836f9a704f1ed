#include "common/base/priority.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "common/base/subprocess.hpp"

using namespace strongroom;

TEST_CASE("a thread's priority goes to the threads and children that it starts, and to nobody else") {
    const Priority before = priority_of(::gettid());
    Priority inner;
    Priority child;
    std::thread worker([&] {
        lower_priority({7, "idle"});
        std::thread([&] { inner = priority_of(::gettid()); }).join();
        Subprocess sleeper({.argv = {"sleep", "30"}, .fds = {}, .environment = {}, .directory = {}});
        child = priority_of(sleeper.pid());
    });
    worker.join();
    CHECK(inner.nice == std::max(7, before.nice));
    CHECK(inner.io_class == "idle");
    CHECK(child.nice == inner.nice);
    CHECK(child.io_class == "idle");
    const Priority after = priority_of(::gettid());
    CHECK(after.nice == before.nice);
    CHECK(after.io_class == before.io_class);
}

TEST_CASE("a nice value is only ever raised, and class none changes nothing") {
    Priority seen;
    std::thread([&] {
        lower_priority({9, "best-effort"});
        lower_priority({3, "none"});
        seen = priority_of(::gettid());
    }).join();
    CHECK(seen.nice >= 9);
    CHECK(seen.io_class == "best-effort");
}
