#include "common/base/shared_work.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <stdexcept>

using namespace strongroom;

TEST_CASE("shared work: each thing is taken once, by no more threads than there are things") {
    for (const std::size_t count : {0U, 1U, 3U, 500U}) {
        SharedWork work(count);
        std::mutex mutex;
        std::multiset<std::size_t> taken;
        std::size_t bodies = 0;
        work.run(8, [&] {
            {
                const std::lock_guard lock(mutex);
                ++bodies;
            }
            while (const auto i = work.next()) {
                const std::lock_guard lock(mutex);
                taken.insert(*i);
            }
        });
        CHECK(bodies == std::min<std::size_t>(8, count));
        CHECK(taken.size() == count);
        for (std::size_t i = 0; i < count; ++i) CHECK(taken.count(i) == 1);
        CHECK_FALSE(work.failed());
    }
}

TEST_CASE("shared work: the first failure is thrown, and nothing more is begun") {
    SharedWork work(1'000'000);
    std::atomic<std::size_t> done = 0;
    CHECK_THROWS_WITH(work.run(4,
                               [&] {
                                   while (const auto i = work.next()) {
                                       if (*i == 10) throw std::runtime_error("the tenth");
                                       ++done;
                                   }
                               }),
                      "the tenth");
    CHECK(work.failed());
    CHECK_FALSE(work.next());
    CHECK(done < 1'000'000);
}
