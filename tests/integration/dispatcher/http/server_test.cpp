#include <algorithm>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

using namespace strongroom;
using strongroom::test::DispatcherProcess;
using strongroom::test::RawConnection;
using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

std::string bearer(const DispatcherProcess::Peer& peer) {
    return "Bearer " + peer.token;
}

double seconds_since(Steady::time_point start) {
    return std::chrono::duration<double>(Steady::now() - start).count();
}

// Does away with the escrow job that a registration makes: the queue is empty, and stays so when leases end.
void finish_first_job(DispatcherProcess::Peer& agent) {
    const auto job = agent.exchange->ask(proto::JobNext{"1"}).job;
    REQUIRE(job);
    agent.exchange->ask(proto::JobFinished{job->id, job->attempt, "succeeded", {}, {}});
}

}  // namespace

TEST_CASE("the gate refuses strangers without starting gpg") {
    DispatcherProcess dispatcher;
    const long before = dispatcher.faults_of_children();
    const std::string body(1000, 'x');
    CHECK(dispatcher.post(body, "").status == 401);
    CHECK(dispatcher.post(body, "Bearer " + std::string(64, 'a')).status == 401);
    CHECK(dispatcher.post(body, "Bearer ' OR 1=1 --").status == 401);
    CHECK(dispatcher.post(body, "Registration " + sha256_hex("x")).status == 401);
    CHECK(dispatcher.post(body, "Basic eDp5").status == 401);
    CHECK(dispatcher.get("/v1/wait?seconds=5", "Bearer " + std::string(64, 'a')).status == 401);
    CHECK(dispatcher.faults_of_children() == before);  // no child ran
    CHECK(dispatcher.metric("strongroom_dispatcher_gate_refusals_total") == 6);
    CHECK(dispatcher.metric("strongroom_dispatcher_messages_opened_total") == 0);
    // The counter-check: with a valid token, gpg is started.
    const auto alice = dispatcher.add_user("alice");
    CHECK(alice->exchange->ask(proto::ServerList{}).servers.empty());
    CHECK(dispatcher.faults_of_children() > before);
    CHECK(dispatcher.metric("strongroom_dispatcher_messages_opened_total") == 1);
}

TEST_CASE("paths, methods, lengths and sizes") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const std::string gate = bearer(*alice);
    CHECK(dispatcher.get("/").status == 404);
    CHECK(dispatcher.get("/metrics").status == 404);  // only on the admin listener
    CHECK(dispatcher.get("/v1/messages", gate).status == 405);
    CHECK(dispatcher.get("/v1/wait?seconds=0", gate).status == 400);
    CHECK(dispatcher.get("/v1/wait?seconds=56", gate).status == 400);
    CHECK(dispatcher.get("/v1/wait", gate).status == 400);
    CHECK(dispatcher.get("/v1/wait?seconds=1", gate).status == 401);  // a user has no queue
    CHECK(dispatcher.post("garbage", gate).status == 401);            // nothing proves who sent it
    CHECK(dispatcher.post(std::string((1U << 20U) + 1, 'x'), gate).status == 413);
    CHECK(dispatcher.admin("/v1/messages").status == 404);
    CHECK(dispatcher.admin("/healthz").body == "ok\n");
    CHECK(dispatcher.admin("/readyz").status == 200);
    const auto raw = [&](const std::string& text) {
        RawConnection connection(dispatcher.address);
        connection.send(text);
        return connection.read_all(5s).substr(0, 12);
    };
    const std::string post = "POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: " + gate + "\r\n";
    CHECK(raw(post + "\r\n") == "HTTP/1.1 411");
    CHECK(raw(post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n") == "HTTP/1.1 411");
    CHECK(raw(post + "Content-Length: 99999999999\r\n\r\n") == "HTTP/1.1 413");
    CHECK(raw("GET /healthz HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n") == "HTTP/1.1 431");
    CHECK(raw("\x16\x03\x01 this is TLS\r\n\r\n") == "HTTP/1.1 400");
}

TEST_CASE("a sender that never finishes its header is cut off, and disturbs nobody") {
    DispatcherProcess dispatcher;
    std::vector<RawConnection> slow;
    for (int i = 0; i < 50; ++i) {
        slow.emplace_back(dispatcher.address);
        slow.back().send("POST /v1/messages HTTP/1.1\r\nHost: x\r\n");
    }
    const auto start = Steady::now();
    const auto alice = dispatcher.add_user("alice");
    CHECK(alice->exchange->ask(proto::ServerList{}).servers.empty());
    CHECK(seconds_since(start) < 5);
    CHECK(slow.front().read_all(20s).find("[still open]") == std::string::npos);
    CHECK(seconds_since(start) < 15);
}

TEST_CASE("a long poll wakes when a job is made, and ends in time without one") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const auto agent = dispatcher.register_agent(*alice);
    CHECK(agent->exchange->wait_for_work(5s));  // the escrow job
    finish_first_job(*agent);
    auto start = Steady::now();
    CHECK(dispatcher.get("/v1/wait?seconds=1", bearer(*agent)).status == 204);
    CHECK(seconds_since(start) > 0.9);
    CHECK(seconds_since(start) < 4);

    const long before = dispatcher.faults_of_children();
    auto waiting = std::async(std::launch::async, [&] {
        const auto answer = dispatcher.get("/v1/wait?seconds=30", bearer(*agent));
        return std::pair(answer, Steady::now());
    });
    for (int i = 0; i < 100 && dispatcher.metric("strongroom_dispatcher_waiters") < 1; ++i)
        std::this_thread::sleep_for(50ms);
    CHECK(dispatcher.faults_of_children() == before);  // waiting costs no process
    alice->exchange->ask(proto::JobCreate{agent->server, "backup"});
    const auto made = Steady::now();
    const auto [answer, woken] = waiting.get();
    CHECK(answer.status == 200);
    CHECK(answer.body == "{\"work\":true}\n");
    CHECK(woken - made < 1s);
    CHECK(dispatcher.metric("strongroom_dispatcher_waiters") == 0);
}

TEST_CASE("a schedule wakes the agent of its server") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const auto agent = dispatcher.register_agent(*alice);
    finish_first_job(*agent);
    alice->exchange->ask(proto::ScheduleSet{agent->server, "backup", "* * * * *", 0});
    std::optional<proto::JobOrder> job;
    for (const auto start = Steady::now(); !job && seconds_since(start) < 70;) {
        if (!agent->exchange->wait_for_work(30s)) continue;
        job = agent->exchange->ask(proto::JobNext{"1"}).job;
    }
    REQUIRE(job);
    CHECK(job->kind == "backup");
    CHECK(job->schedule);
    CHECK(job->slot.value_or(1) % 60'000 == 0);
}

TEST_CASE("SIGTERM drains: waiters are told to come back, exit code 0 within 10 seconds") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const auto agent = dispatcher.register_agent(*alice);
    finish_first_job(*agent);
    RawConnection idle(dispatcher.address);
    RawConnection half(dispatcher.address);
    half.send("POST /v1/mess");
    auto waiting = std::async(std::launch::async,
                              [&] { return dispatcher.get("/v1/wait?seconds=50", bearer(*agent)).status; });
    for (int i = 0; i < 100 && dispatcher.metric("strongroom_dispatcher_waiters") < 1; ++i)
        std::this_thread::sleep_for(50ms);
    const auto start = Steady::now();
    const ExitStatus status = dispatcher.stop(15s);
    CHECK(status.ok());
    CHECK(seconds_since(start) < 10);
    CHECK(waiting.get() == 204);
    CHECK(dispatcher.log().find("DISPATCHER_STOPPED") != std::string::npos);
}

TEST_CASE("metrics are as promtool wants them") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    alice->exchange->ask(proto::ServerList{});
    const auto answer = dispatcher.admin("/metrics");
    CHECK(answer.status == 200);
    CHECK(dispatcher.metric("strongroom_dispatcher_users") == 1);
    CHECK(dispatcher.metric(R"(strongroom_dispatcher_messages_total{outcome="ok",type="server.list"})") == 1);
    if (!find_program("promtool")) {
        WARN("promtool is not installed (package prometheus)");
        return;
    }
    SpawnOptions options;
    options.argv = {"promtool", "check", "metrics"};
    const auto checked = run_program(options, answer.body);
    INFO(checked.out << checked.err);
    CHECK(checked.status.ok());
    CHECK(checked.out.empty());
    CHECK(checked.err.empty());
}

TEST_CASE("a restart keeps the state, and SIGKILL keeps all that was acknowledged") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    struct Round {
        std::string server;  // one for each: a server's queue is bounded
        std::vector<std::string> acknowledged;
    };
    std::vector<Round> rounds;
    while (rounds.size() < 4) rounds.push_back({dispatcher.register_agent(*alice)->server, {}});
    const SystemClock clock;
    const auto connect = [&] {
        return proto::Exchange(
            dispatcher.url(), {alice->home.home(), alice->fingerprint},
            {alice->dispatcher.home(), gpg::list_keys(alice->dispatcher.home()).at(0).fingerprint},
            {proto::Gate::Kind::bearer, Secret(std::string(alice->token))}, clock);
    };
    for (std::size_t number = 0; number < rounds.size(); ++number) {
        // Jobs are ordered while the dispatcher is killed at some moment.
        Round& round = rounds[number];
        proto::Exchange exchange = connect();
        exchange.set_attempts(1);
        auto killer = std::async(std::launch::async, [&dispatcher, number] {
            std::this_thread::sleep_for(std::chrono::milliseconds(150 + 137 * number));
            dispatcher.kill_hard();
        });
        try {
            while (round.acknowledged.size() < 18)
                round.acknowledged.push_back(exchange.ask(proto::JobCreate{round.server, "backup"}).job);
        } catch (const Error& error) {
            INFO(error.text());
            CHECK((error.kind() == ErrorKind::network || error.kind() == ErrorKind::busy));
        }
        killer.get();
        dispatcher.start();
    }
    std::size_t acknowledged = 0;
    for (const auto& round : rounds) {
        acknowledged += round.acknowledged.size();
        const auto jobs = connect().ask(proto::JobList{round.server, 1000}).jobs;
        for (const auto& id : round.acknowledged)
            if (std::ranges::find(jobs, id, &proto::Job::id) == jobs.end())
                FAIL_CHECK("job " << id << " was acknowledged and lost");
        // The escrow job, and one that was not acknowledged.
        CHECK(jobs.size() <= round.acknowledged.size() + 2);
    }
    CHECK(acknowledged > 0);
}
