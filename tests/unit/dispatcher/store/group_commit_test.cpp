#include "dispatcher/store/sqlite/group_commit.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <thread>

using strongroom::dispatcher::GroupCommit;
using strongroom::dispatcher::Store;
using strongroom::dispatcher::Transaction;

namespace {

// Holds the first batch until `waiting` more callers stand in the queue.
struct Room {
    std::vector<std::size_t> sizes;
    std::atomic<bool> open = false;
    std::atomic<int> arrived = 0;
    std::atomic<int> failed = 0;
    bool fail_second = false;
    GroupCommit commits{[this](std::span<GroupCommit::Entry* const> batch) {
        sizes.push_back(batch.size());
        while (!open) std::this_thread::yield();
        if (fail_second && sizes.size() == 2) throw std::runtime_error("the commit failed");
    }};
    void run(int callers) {
        const Store::Work work = [](Transaction&) {};
        std::vector<std::thread> threads;
        for (int i = 0; i < callers; ++i) {
            threads.emplace_back([&] {
                ++arrived;
                try {
                    commits.run(work);
                } catch (const std::runtime_error&) {
                    ++failed;
                }
            });
            while (arrived <= i) std::this_thread::yield();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(200));  // they are in the queue by now
        open = true;
        for (auto& thread : threads) thread.join();
    }
};

}  // namespace

TEST_CASE("group commit: who comes during a commit shares the next one") {
    Room room;
    room.run(9);
    CHECK(room.sizes == std::vector<std::size_t>{1, 8});
    CHECK(room.failed == 0);
}

TEST_CASE("group commit: a failed commit is a failure for each of its callers, and for no other") {
    Room room;
    room.fail_second = true;
    room.run(6);
    CHECK(room.sizes == std::vector<std::size_t>{1, 5});
    CHECK(room.failed == 5);
}
