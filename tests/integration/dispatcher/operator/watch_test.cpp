// Alerts with a real webhook receiver and a real command, `alerts`, `alert test`, `status`.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <regex>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/json_fields.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

using namespace strongroom;
using namespace std::chrono_literals;
using strongroom::test::DispatcherProcess;

namespace {

// An HTTP server on loopback that keeps what is posted to it.
class Receiver {
  public:
    Receiver() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            ::listen(fd_.get(), 8) != 0 ||
            ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
            throw system_error(ErrorKind::network, "receiver", errno);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~Receiver() {
        ending_ = true;
        thread_.join();
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/hook"; }
    std::vector<std::string> requests() {
        const std::lock_guard lock(mutex_);
        return requests_;
    }
    // Bodies with this event.
    std::vector<Json> events(const std::string& event) {
        std::vector<Json> out;
        for (const auto& request : requests()) {
            const Json body = Json::parse(request.substr(request.find("\r\n\r\n") + 4));
            if (body["event"] == event) out.push_back(body);
        }
        return out;
    }
    std::atomic<int> status{204};

  private:
    void serve() {
        while (!ending_) {
            pollfd waiting{fd_.get(), POLLIN, 0};
            if (::poll(&waiting, 1, 50) <= 0) continue;
            const UniqueFd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            std::string text;
            char buffer[4096];
            for (;;) {
                const auto header = text.find("\r\n\r\n");
                const auto length = text.find("Content-Length: ");
                if (header != std::string::npos && length != std::string::npos &&
                    text.size() >= header + 4 + std::stoul(text.substr(length + 16)))
                    break;
                const ssize_t got = ::recv(peer.get(), buffer, sizeof buffer, 0);
                if (got <= 0) break;
                text.append(buffer, static_cast<std::size_t>(got));
            }
            {
                const std::lock_guard lock(mutex_);
                if (status < 300) requests_.push_back(text);
            }
            const std::string answer =
                "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        }
    }
    UniqueFd fd_;
    int port_ = 0;
    std::atomic<bool> ending_{false};
    std::mutex mutex_;
    std::vector<std::string> requests_;
    std::thread thread_;
};

bool eventually(const std::function<bool()>& what, std::chrono::seconds limit = 20s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
        if (what()) return true;
        std::this_thread::sleep_for(100ms);
    }
    return false;
}

// A command that appends its stdin to a file.
struct Script {
    TempDir folder;
    std::filesystem::path out = folder.path() / "got";
    std::string path = (folder.path() / "alert.sh").string();
    Script() {
        write_file_atomic(path, "#!/bin/sh\n[ \"$1\" = 'two words' ] || exit 9\ncat >>" + out.string() + "\n",
                          0700);
    }
    std::string text() const {
        return std::filesystem::exists(out) ? read_file(out, 1U << 20U) : std::string();
    }
};

Json status_of(const DispatcherProcess& dispatcher, int expected_code, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"status", "--json"});
    const auto result = dispatcher.command(more);
    INFO(result.err << result.out);
    CHECK(result.status.code == expected_code);
    return Json::parse(result.out);
}

constexpr int unhealthy = 20;

}  // namespace

TEST_CASE("alerts: webhook and command get what is raised and resolved, a failing webhook is retried") {
    DispatcherProcess dispatcher;
    auto alice = dispatcher.add_user("alice");
    const auto agent = dispatcher.register_agent(*alice);
    REQUIRE(dispatcher.stop(10s).ok());
    Receiver receiver;
    const Script script;
    const TempDir folder;
    const auto token = folder.path() / "token";
    write_file_atomic(token, "secret-of-the-hook\n");
    const std::vector<std::string> options{"--alert-webhook",       receiver.url(),
                                           "--alert-webhook-token", token.string(),
                                           "--alert-command",       script.path,
                                           "--alert-command",       "two words",
                                           "--alert-interval",      "1",
                                           "--alert-escrow-after",  "0"};
    receiver.status = 500;
    dispatcher.start(options);
    const std::string failed =
        "strongroom_dispatcher_alert_deliveries_total{channel=\"webhook\",outcome=\"failed\"}";
    REQUIRE(eventually([&] { return dispatcher.metric(failed) >= 1; }));
    CHECK(receiver.requests().empty());
    CHECK(dispatcher.metric("strongroom_dispatcher_alert_deliveries_pending") >= 1);
    CHECK(dispatcher.metric("strongroom_dispatcher_alerts{rule=\"escrow_missing\"}") == 1);
    CHECK(eventually([&] { return script.text().find("escrow_missing") != std::string::npos; }));
    CHECK(dispatcher.admin("/readyz").status == 200);  // a receiver that fails holds up nobody

    receiver.status = 204;  // the next try is 10 s after the first
    REQUIRE(eventually([&] { return receiver.events("raised").size() == 1; }, 30s));
    const Json raised = receiver.events("raised")[0];
    CHECK(raised["alerts"][0]["rule"] == "escrow_missing");
    CHECK(raised["alerts"][0]["server"] == agent->server);
    CHECK(raised["alerts"][0]["severity"] == "critical");
    CHECK(receiver.requests()[0].find("Authorization: Bearer secret-of-the-hook\r\n") != std::string::npos);
    CHECK(receiver.requests()[0].find("Content-Type: application/json\r\n") != std::string::npos);

    const Json listed = Json::parse(dispatcher.command({"alerts", "--json"}).out);
    REQUIRE(listed["alerts"].size() == 1);
    CHECK(listed["alerts"][0]["rule"] == "escrow_missing");
    CHECK(dispatcher.command({"alerts"}).out.find("escrow_missing") != std::string::npos);

    dispatcher.kill_hard();  // and a restart raises nothing anew
    dispatcher.start(options);
    REQUIRE(eventually(
        [&] { return dispatcher.metric("strongroom_dispatcher_alerts{rule=\"escrow_missing\"}") == 1; }));
    const auto user = dispatcher.reconnect(std::move(alice));
    user->exchange->ask(proto::ServerRetire{agent->server});
    REQUIRE(eventually([&] { return receiver.events("resolved").size() == 1; }));
    CHECK(receiver.events("raised").size() == 1);
    CHECK(Json::parse(dispatcher.command({"alerts", "--json"}).out)["alerts"].empty());
    CHECK(Json::parse(dispatcher.command({"alerts", "--all", "--json"}).out)["alerts"].size() == 1);
    CHECK(dispatcher.log().find("DISPATCHER_ALERT_RAISED") != std::string::npos);
    CHECK(dispatcher.log().find("DISPATCHER_ALERT_NOT_DELIVERED") != std::string::npos);
    CHECK(dispatcher.log().find("secret-of-the-hook") == std::string::npos);
}

TEST_CASE("alert test: delivered, refused, not configured") {
    DispatcherProcess dispatcher;
    Receiver receiver;
    const Script script;
    const auto test = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"alert", "test"});
        return dispatcher.command(arguments);
    };
    CHECK(test({}).status.code == exit_code(ErrorKind::config));
    const auto both = test({"--alert-webhook", receiver.url(), "--alert-command", script.path,
                            "--alert-command", "two words", "--json"});
    INFO(both.err);
    CHECK(both.status.ok());
    CHECK(receiver.events("test").size() == 1);
    CHECK(Json::parse(script.text())["event"] == "test");
    receiver.status = 500;
    const auto refused = test({"--alert-webhook", receiver.url()});
    CHECK(refused.status.code == exit_code(ErrorKind::network));
    CHECK(refused.out.find("NOT delivered") != std::string::npos);
    CHECK(test({"--alert-webhook", "http://198.51.100.1/x"}).status.code == exit_code(ErrorKind::refused));
    CHECK(test({"--alert-command", "/no/such/program"}).status.code == exit_code(ErrorKind::tool_missing));
    CHECK(test({"--alert-command", script.path, "--alert-command", "other"}).status.code ==
          exit_code(ErrorKind::source));
    const TempDir folder;
    const auto open_token = folder.path() / "token";
    write_file_atomic(open_token, "x", 0644);
    CHECK(
        test({"--alert-webhook", receiver.url(), "--alert-webhook-token", open_token.string()}).status.code ==
        exit_code(ErrorKind::insecure_file));
}

TEST_CASE("status: healthy or not, running or not") {
    DispatcherProcess dispatcher;
    const Json empty = status_of(dispatcher, 0);
    CHECK(empty["healthy"] == true);
    CHECK(empty["running"] == true);
    CHECK(empty["version"] == STRONGROOM_VERSION);
    CHECK(empty["serving"]["address"] == dispatcher.url());
    CHECK(empty["serving"]["uptime_s"].get<int>() >= 0);
    CHECK(empty["schema_version"] == 15);
    CHECK(empty["database_bytes"].get<std::int64_t>() > 10'000);
    CHECK(empty["disk_free_bytes"].get<std::int64_t>() > 0);
    CHECK(empty["audit"]["entries"].get<int>() >= 1);

    const auto alice = dispatcher.add_user("alice");
    const auto agent = dispatcher.register_agent(*alice);
    const auto job = alice->exchange->ask(proto::JobCreate{agent->server, "backup"}).job;
    const Json busy = status_of(dispatcher, 0, {"--alert-escrow-after", "0"});
    CHECK(busy["servers"] == 1);
    CHECK(busy["jobs"]["queued"] == 2);
    CHECK(busy["oldest_due_job"]["kind"] == "escrow");
    CHECK(busy["escrow_missing"] == Json::array({agent->server}));

    REQUIRE(dispatcher.stop(10s).ok());
    dispatcher.start({"--alert-interval", "1", "--alert-escrow-after", "0"});
    REQUIRE(eventually(
        [&] { return dispatcher.metric("strongroom_dispatcher_alerts{rule=\"escrow_missing\"}") == 1; }));
    const Json ill = status_of(dispatcher, unhealthy);
    CHECK(ill["healthy"] == false);
    CHECK(ill["alerts"][0]["rule"] == "escrow_missing");
    const auto human = dispatcher.command({"status", "--alert-escrow-after", "0"});
    CHECK(human.status.code == unhealthy);
    CHECK(human.out.find("NOT GOOD") != std::string::npos);
    CHECK(human.out.find("escrow not made: 1") != std::string::npos);

    REQUIRE(dispatcher.stop(10s).ok());
    const Json stopped = status_of(dispatcher, unhealthy);
    CHECK(stopped["running"] == false);
    CHECK(stopped["problems"][0].get<std::string>().find("no dispatcher serves") != std::string::npos);
}

TEST_CASE("a waiting agent counts as seen") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const auto agent = dispatcher.register_agent(*alice);
    const auto database = dispatcher::SqliteStore::open(dispatcher.state() / "dispatcher.sqlite",
                                                        dispatcher::SqliteStore::Use::command);
    const auto seen = [&] {
        std::int64_t out = 0;
        database->read([&](dispatcher::Transaction& tx) { out = tx.find_server(agent->server)->last_seen; });
        return out;
    };
    const auto before = seen();
    std::this_thread::sleep_for(1100ms);
    agent->exchange->wait_for_work(1s);
    CHECK(eventually([&] { return seen() > before; }, 40s));
}

TEST_CASE("every metric and label that the Prometheus rules use is in /metrics") {
    DispatcherProcess dispatcher;
    const std::string round = "strongroom_dispatcher_alert_last_round_timestamp_seconds";
    REQUIRE(eventually([&] { return dispatcher.metric(round) > 0; }));
    const std::string metrics = "\n" + dispatcher.admin("/metrics").body;
    const std::string rules =
        read_file(STRONGROOM_SOURCE_DIR "/deploy/monitoring/strongroom.rules.yml", 1U << 20U);
    const std::regex use(R"re((strongroom_dispatcher_\w+)(?:\{(\w+="\w+")\})?)re");
    int found = 0;
    for (auto it = std::sregex_iterator(rules.begin(), rules.end(), use); it != std::sregex_iterator();
         ++it) {
        const std::string name = (*it)[1];
        const std::string label = (*it)[2];
        INFO(name << " " << label);
        const auto at = metrics.find("\n" + name);
        REQUIRE(at != std::string::npos);
        const char next = metrics[at + 1 + name.size()];
        CHECK((next == ' ' || next == '{'));
        if (!label.empty()) {
            const std::regex line("\n" + name + "\\{[^\n]*" + label);
            CHECK(std::regex_search(metrics, line));
        }
        ++found;
    }
    CHECK(found > 15);
}
