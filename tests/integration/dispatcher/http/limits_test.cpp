// Rate limits: what one does too often holds up nobody else.
#include <catch2/catch.hpp>
#include <thread>

#include "common/base/error.hpp"
#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

using namespace strongroom;
using strongroom::test::DispatcherProcess;
using strongroom::test::RawConnection;
using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

TEST_CASE("an address with many strangers is held up, and who has a token there is not") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const auto agent = dispatcher.register_agent(*alice);
    std::vector<RawConnection> strangers;
    for (int i = 0; i < 150; ++i) {
        strangers.emplace_back(dispatcher.address);
        strangers.back().send("POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                              std::string(64, 'a') + "\r\nContent-Length: 5\r\n\r\nhello");
    }
    const auto start = Steady::now();
    for (int i = 0; i < 100 && dispatcher.metric("strongroom_dispatcher_strangers_held_up_total") < 20; ++i)
        std::this_thread::sleep_for(20ms);
    CHECK(dispatcher.metric("strongroom_dispatcher_strangers_held_up_total") >= 20);
    // From the same address, at the same time.
    const auto asked = Steady::now();
    CHECK(dispatcher.get("/v1/wait?seconds=5", "Bearer " + agent->token).status == 200);
    CHECK(Steady::now() - asked < 1500ms);
    CHECK(strangers.front().read_all(10s).substr(0, 12) == "HTTP/1.1 401");
    CHECK(strangers.back().read_all(10s).substr(0, 12) == "HTTP/1.1 401");  // late, but answered
    CHECK(Steady::now() - start > 1900ms);
    CHECK(dispatcher.metric("strongroom_dispatcher_messages_opened_total") == 2);  // alice's and the agent's
}

TEST_CASE("a sender whose messages are not proven is locked out, and no other with it") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const auto one = dispatcher.register_agent(*alice);
    const auto other = dispatcher.register_agent(*alice);
    int refused = 0;
    int locked_out = 0;
    for (int i = 0; i < 30; ++i) {
        const int status = dispatcher.post("garbage", "Bearer " + one->token).status;
        if (status == 401) ++refused;
        if (status == 429) ++locked_out;
    }
    CHECK(refused + locked_out == 30);
    CHECK(refused >= 9);
    CHECK(locked_out >= 5);
    CHECK(other->exchange->ask(proto::JobNext{"1"}).job);  // at once, with the first attempt
    CHECK(alice->exchange->ask(proto::ServerList{}).servers.size() == 2);
    // It passes by itself.
    std::optional<proto::JobOrder> job;
    for (int i = 0; i < 50 && !job; ++i) {
        try {
            job = one->exchange->ask(proto::JobNext{"1"}).job;
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::busy);
            std::this_thread::sleep_for(100ms);
        }
    }
    CHECK(job);
}
