// Hostile HTTP against the real program: whatever comes, memory stays bounded, connections end in time, and a
// real agent is served meanwhile.
#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

using namespace strongroom;
using strongroom::test::DispatcherProcess;
using strongroom::test::RawConnection;
using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t mib = 1U << 20U;

// A dispatcher with one registered agent, whose request must be answered while something bad goes on.
struct Besieged {
    explicit Besieged(const std::vector<std::string>& more = {})
        : dispatcher(more), alice(dispatcher.add_user("alice")), agent(dispatcher.register_agent(*alice)) {
        dispatcher.faults_of_children();
        before = dispatcher.memory();
    }
    void serve_agent(const char* meanwhile) {
        INFO(meanwhile);
        const auto start = Steady::now();
        std::optional<std::string> failure;
        try {
            agent->exchange->ask(proto::JobNext{"1"});
        } catch (const Error& error) {
            failure = error.text();
        }
        CHECK(failure.value_or("") == "");
        CHECK(Steady::now() - start < 10s);
    }
    void check_memory(std::size_t most) const {
        const std::size_t now = dispatcher.memory();
        INFO("resident before " << before / 1024 << " KiB, now " << now / 1024 << " KiB");
        CHECK(now < before + most);
    }

    DispatcherProcess dispatcher;
    std::unique_ptr<DispatcherProcess::Peer> alice;
    std::unique_ptr<DispatcherProcess::Peer> agent;
    std::size_t before = 0;
};

// What the server does with a connection that it does not want may be a reset.
void send_if_open(RawConnection& connection, const std::string& bytes) {
    try {
        connection.send(bytes);
    } catch (const Error&) {
    }
}

std::string post_of(const DispatcherProcess::Peer& peer) {
    return "POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + peer.token + "\r\n";
}

}  // namespace

TEST_CASE("hostile: slow headers and slow bodies are cut in time") {
    Besieged site;
    std::vector<RawConnection> slow;
    for (int i = 0; i < 200; ++i) slow.emplace_back(site.dispatcher.address);
    RawConnection body(site.dispatcher.address);
    body.send(post_of(*site.agent) + "Content-Length: 1000000\r\n\r\n");
    const auto start = Steady::now();
    // A byte a second each: every read gets something, and still the time of the whole counts.
    const std::string header = "POST /v1/messages HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (std::size_t at = 0; Steady::now() - start < 12s; ++at) {
        for (auto& connection : slow) send_if_open(connection, header.substr(at % header.size(), 1));
        send_if_open(body, "x");
        if (at == 3) site.serve_agent("200 slow headers and a slow body");
        std::this_thread::sleep_for(1s);
    }
    for (auto& connection : slow) {
        const std::string end = connection.read_all(3s);
        if (end.find("[still open]") != std::string::npos) FAIL_CHECK("a slow header is still read");
    }
    const std::string end = body.read_all(30s);  // 30 s for a body, 12 of them are gone
    CHECK(end.find("[still open]") == std::string::npos);
    CHECK(Steady::now() - start > 25s);
    site.check_memory(20 * mib);
}

TEST_CASE("hostile: 100,000 bytes of header, and chunks without end") {
    Besieged site;
    for (int i = 0; i < 20; ++i) {
        RawConnection connection(site.dispatcher.address);
        send_if_open(connection, "GET /v1/wait?seconds=1 HTTP/1.1\r\n");
        for (int line = 0; line < 100; ++line)
            send_if_open(connection, "X-" + std::to_string(line) + ": " + std::string(1000, 'h') + "\r\n");
        const std::string end = connection.read_all(5s);
        CHECK(end.find("[still open]") == std::string::npos);
        CHECK((end.empty() || end.starts_with("HTTP/1.1 431")));  // a reset may overtake the answer
    }
    site.serve_agent("oversized headers");

    std::atomic<bool> stop = false;
    std::thread endless([&] {
        const std::string chunk = "10000\r\n" + std::string(0x10000, 'c') + "\r\n";
        while (!stop) {
            try {
                RawConnection connection(site.dispatcher.address);
                connection.send(post_of(*site.agent) + "Transfer-Encoding: chunked\r\n\r\n");
                for (int i = 0; i < 1000 && !stop; ++i) connection.send(chunk);
            } catch (const Error&) {  // cut off: again
            }
        }
    });
    const auto start = Steady::now();
    while (Steady::now() - start < 3s) site.serve_agent("endless chunks");
    stop = true;
    endless.join();
    site.check_memory(20 * mib);
}

TEST_CASE("hostile: a pipeline of requests is answered one by one, and a reader that never reads is left") {
    Besieged site;
    RawConnection pipeline(site.dispatcher.address);
    std::string many;
    for (int i = 0; i < 50; ++i)
        many += "GET /v1/wait?seconds=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + site.agent->token +
                "\r\n\r\n";
    pipeline.send(many);  // there is work: each is answered at once
    std::string answers = pipeline.read_all(12s);
    std::size_t count = 0;
    for (std::size_t at = 0; (at = answers.find("HTTP/1.1 200", at)) != std::string::npos; ++at) ++count;
    CHECK(count == 50);

    // Requests without end whose answers nobody reads: the server stops reading when it cannot write.
    RawConnection deaf(site.dispatcher.address);
    std::atomic<std::size_t> sent = 0;
    std::atomic<bool> stop = false;
    std::thread flood([&] {
        try {
            while (!stop) {
                deaf.send_without_waiting(many);
                sent += many.size();
            }
        } catch (const Error&) {
        }
    });
    site.serve_agent("a pipeline without end");
    std::this_thread::sleep_for(2s);
    site.serve_agent("a pipeline without end");
    stop = true;
    flood.join();
    site.check_memory(20 * mib);
}

TEST_CASE("hostile: a flood of connections over the cap, and half-open ones, keep nobody out") {
    Besieged site({"--max-connections", "300"});
    std::vector<RawConnection> held;
    for (int i = 0; i < 1000; ++i) {  // says nothing, or half a line, and stays
        held.emplace_back(site.dispatcher.address);
        if (i % 2 == 0) send_if_open(held.back(), "GET /v1/wa");
        if (i % 200 == 199) site.serve_agent("connections over the cap");
    }
    site.serve_agent("all connections in use");
    CHECK(site.dispatcher.log().find("DISPATCHER_CONNECTIONS_FULL") != std::string::npos);

    std::atomic<bool> stop = false;
    std::atomic<int> opened = 0;
    std::vector<std::thread> floods;
    for (int i = 0; i < 2; ++i)
        floods.emplace_back([&] {
            std::vector<std::optional<RawConnection>> ring(200);
            for (std::size_t at = 0; !stop; at = (at + 1) % ring.size()) {
                try {
                    ring[at].emplace(site.dispatcher.address);
                    ++opened;
                } catch (const Error&) {  // refused: that is what the cap is for
                }
                if (at % 20 == 0) std::this_thread::sleep_for(5ms);
            }
        });
    const auto start = Steady::now();
    for (int i = 0; i < 5; ++i) site.serve_agent("a flood of connections");
    while (Steady::now() - start < 5s) site.serve_agent("a flood of connections");
    stop = true;
    for (auto& flood : floods) flood.join();
    CHECK(opened > 1000);
    // An agent that waits has shown its token: the flood does not cut it.
    site.check_memory(30 * mib);
    held.clear();
    site.serve_agent("after the flood");
    CHECK(site.dispatcher.admin("/readyz").status == 200);
}

TEST_CASE("hostile: one valid token cannot fill the memory with messages that never end") {
    Besieged site;
    const auto bob = site.dispatcher.add_user("bob");
    std::vector<RawConnection> held;
    const std::string most(mib - 1, 'x');
    std::size_t refused = 0;
    for (int i = 0; i < 60; ++i) {
        held.emplace_back(site.dispatcher.address);
        send_if_open(held.back(), post_of(*bob) + "Content-Length: " + std::to_string(mib) + "\r\n\r\n");
        for (std::size_t at = 0; at < most.size(); at += mib / 8)
            send_if_open(held.back(), most.substr(at, mib / 8));
        if (i < 4) continue;
        const std::string answer = held.back().read_all(5s);
        refused += answer.empty() || answer.starts_with("HTTP/1.1 429") ? 1U : 0U;  // a reset may overtake it
    }
    CHECK(refused == 56);
    site.serve_agent("bodies without end");
    site.check_memory(30 * mib);  // four of 1 MiB, and their buffers
}

TEST_CASE("hostile: a flood does not cut an agent that waits") {
    Besieged site({"--max-connections", "100"});
    const auto job = site.agent->exchange->ask(proto::JobNext{"1"}).job;
    REQUIRE(job);
    site.agent->exchange->ask(proto::JobFinished{job->id, job->attempt, "succeeded", {}, {}});
    std::optional<int> status;
    std::thread waiting([&] {
        try {
            status = site.dispatcher.get("/v1/wait?seconds=8", "Bearer " + site.agent->token).status;
        } catch (const Error&) {
        }
    });
    for (int i = 0; i < 100 && site.dispatcher.metric("strongroom_dispatcher_waiters") < 1; ++i)
        std::this_thread::sleep_for(50ms);
    std::vector<RawConnection> held;
    for (int i = 0; i < 800; ++i) held.emplace_back(site.dispatcher.address);
    waiting.join();
    CHECK(status == 204);
}
