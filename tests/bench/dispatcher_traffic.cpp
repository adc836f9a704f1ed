// Sealed messages: registrations, requests, and requests under an anonymous flood.
#include <atomic>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "proto/registration_code.hpp"
#include "tests/bench/dispatcher_phases.hpp"

namespace strongroom::bench {
namespace {

std::string registration(const Site& site, const Peer& agent) {
    const proto::Register body{agent.uuid,
                               "test.invalid",
                               "host",
                               "1",
                               agent.public_key,
                               agent.subkey,
                               {site.user().fingerprint},
                               agent.code,
                               sha256_hex(agent.token)};
    return site.sealed(agent, body, "Registration " + proto::registration_code_hash(agent.code));
}

// Milliseconds of each, one after the other.
std::vector<double> register_each(Site& site, std::size_t from, std::size_t to) {
    std::vector<std::string> requests;
    for (std::size_t i = from; i < to; ++i) requests.push_back(registration(site, site.agents()[i]));
    Load load(site.port());
    auto& client = load.add(1);
    std::vector<double> out;
    for (std::size_t i = from; i < to; ++i) {
        bool answered = false;
        Load::Answer answer;
        const auto start = Steady::now();
        load.send(client, requests[i - from], [&](const Load::Answer& got) {
            answer = got;
            answered = true;
        });
        load.run(std::chrono::seconds(30), [&] { return answered; });
        out.push_back(ms_since(start));
        site.require_reply(site.agents()[i], answer);
    }
    return out;
}

// All requests, `in_flight` at a time; seconds.
double send_all(Load& load, std::vector<Load::Client*>& clients, const std::vector<std::string>& requests,
                std::vector<Load::Answer>& answers) {
    answers.assign(requests.size(), {});
    std::size_t next = 0;
    std::size_t open = 0;
    std::function<void(Load::Client&)> go = [&](Load::Client& client) {
        if (next == requests.size()) return;
        const std::size_t at = next++;
        ++open;
        load.send(client, requests[at], [&, at](const Load::Answer& answer) {
            answers[at] = answer;
            --open;
            go(client);
        });
    };
    const auto start = Steady::now();
    for (auto* client : clients) go(*client);
    load.run(std::chrono::minutes(3), [&] { return next == requests.size() && open == 0; });
    return ms_since(start) / 1000;
}

// Agents that ask now and then, each with a pause of its own; milliseconds of each request.
std::vector<double> ask_at_leisure(Site& site, int seconds) {
    constexpr std::size_t agents = 8;
    constexpr auto pause = std::chrono::milliseconds(400);
    const std::size_t each = static_cast<std::size_t>(seconds) * 1000 / pause.count();
    std::vector<std::vector<std::string>> requests(agents);
    for (std::size_t i = 0; i < agents; ++i)
        for (std::size_t n = 0; n < each; ++n)
            requests[i].push_back(site.sealed(site.agents()[i], proto::JobNext{"1"}));
    Load load(site.port());
    std::vector<double> out;
    std::size_t finished = 0;
    std::size_t bad = 0;
    std::function<void(std::size_t, std::size_t, Load::Client&)> ask = [&](std::size_t i, std::size_t n,
                                                                           Load::Client& client) {
        if (n == each) {
            ++finished;
            return;
        }
        const auto start = Steady::now();
        load.send(client, requests[i][n], [&, i, n, start](const Load::Answer& answer) {
            out.push_back(ms_since(start));
            if (answer.status != 200) ++bad;
            load.after(pause, [&, i, n] { ask(i, n + 1, client); });
        });
    };
    for (std::size_t i = 0; i < agents; ++i) {
        auto& client = load.add(static_cast<int>(i));
        load.after(pause * static_cast<int>(i) / static_cast<int>(agents), [&, i] { ask(i, 0, client); });
    }
    load.run(std::chrono::seconds(20 + 4 * seconds), [&] { return finished == agents; });
    if (bad > 0) throw Error(ErrorKind::internal, std::to_string(bad) + " real requests were not answered");
    return out;
}

// Strangers that post as fast as they are answered, each time with a token that nobody has.
class Flood {
  public:
    Flood(std::uint16_t port, int connections)
        : thread_([this, port, connections] { run(port, connections); }) {}
    ~Flood() {
        ending_ = true;
        thread_.join();
    }
    Flood(const Flood&) = delete;
    long answered() const { return answered_; }
    long lost() const { return lost_; }

  private:
    void run(std::uint16_t port, int connections) {
        Load load(port);
        const std::string body(2000, 'x');
        std::function<void(Load::Client&)> post = [&](Load::Client& client) {
            const std::string token = to_hex(random_bytes(32));
            load.send(client, post_request(body, "Bearer " + token), [&](const Load::Answer& answer) {
                if (answer.status == 200) std::abort();
                ++(answer.status == 0 ? lost_ : answered_);
                load.after(std::chrono::milliseconds(0), [&] { post(client); });
            });
        };
        for (int i = 0; i < connections; ++i) {
            auto& client = load.add(100 + i % 4);
            load.after(std::chrono::milliseconds(0), [&] { post(client); });
        }
        load.run(std::chrono::hours(1), [&] { return ending_.load(); });
    }
    std::atomic<bool> ending_ = false;
    std::atomic<long> answered_ = 0;
    std::atomic<long> lost_ = 0;
    std::thread thread_;
};

}  // namespace

void measure_registration(Site& site, const Sizes& sizes) {
    const std::size_t half = site.agents().size() / 2;
    note("registration: " + std::to_string(half) + " first ones");
    site.make_state();
    site.start();
    const auto first = register_each(site, 0, half);
    site.stop();
    note("registration: the last ones of " + std::to_string(sizes.registrations));
    // Everybody has a home with a key, as after the first message.
    {
        std::filesystem::create_directories(site.state() / "peers");
        site.start();
        Load load(site.port());
        std::vector<Load::Client*> clients{&load.add(1)};
        std::vector<Load::Answer> answers;
        send_all(load, clients, {site.sealed(site.agents().front(), proto::JobNext{"1"})}, answers);
        site.stop();
    }
    site.add_plain_servers(static_cast<std::size_t>(sizes.registrations) - 2 * half, true);
    site.start();
    const auto last = register_each(site, half, 2 * half);
    site.stop();
    row("register_first_ms", percentile(first, 0.5), "ms", 1);
    row("register_last_ms", percentile(last, 0.5), "ms", 1);
    row("register_last_over_first", percentile(last, 0.5) / percentile(first, 0.5), "times", 3);
}

void measure_sealed(Site& site, const Sizes& sizes) {
    constexpr std::size_t messages = 200;
    constexpr int rounds = 3;
    site.start();
    Load load(site.port());
    std::vector<Load::Client*> clients;
    for (int i = 0; i < 2 * sizes.threads; ++i) clients.push_back(&load.add(i));
    std::vector<std::string> warm;
    std::vector<Load::Answer> answers;
    for (const auto& agent : site.agents()) warm.push_back(site.sealed(agent, proto::JobNext{"1"}));
    send_all(load, clients, warm, answers);

    std::vector<double> ours;
    std::vector<double> ratios;
    for (int round = 0; round < rounds; ++round) {
        note("sealed requests: round " + std::to_string(round + 1));
        BareWork bare;
        bare.own_home = site.state() / "gnupg";
        bare.own = site.fingerprint();
        bare.peers = site.state() / "peers";
        bare.reply = std::string(400, 'r');
        std::vector<std::string> requests;
        for (std::size_t i = 0; i < messages; ++i) {
            const Peer& agent = site.agents()[i % site.agents().size()];
            requests.push_back(site.sealed(agent, proto::JobNext{"1"}));
            bare.messages.emplace_back(requests.back().substr(requests.back().find("\r\n\r\n") + 4),
                                       agent.fingerprint);
        }
        const double seconds = send_all(load, clients, requests, answers);
        for (std::size_t i = 0; i < answers.size(); i += 17)
            site.require_reply(site.agents()[i % site.agents().size()], answers[i]);
        for (const auto& answer : answers)
            if (answer.status != 200)
                throw Error(ErrorKind::internal, "a sealed request failed: " + answer.body);
        ours.push_back(static_cast<double>(messages) / seconds);
        ratios.push_back(ours.back() / bare_rate(bare, sizes.threads));
    }
    site.stop();
    row("sealed_per_s", percentile(ours, 0.5), "messages/s", 1);
    row("bare_per_s", percentile(ours, 0.5) / percentile(ratios, 0.5), "messages/s", 1);
    row("sealed_rate_over_bare", percentile(ratios, 0.5), "times", 3);
}

void measure_flood(Site& site) {
    constexpr int seconds = 12;
    site.start();
    ask_at_leisure(site, 1);  // homes are made, gpg-agent runs
    note("flood: quiet");
    const double quiet = percentile(ask_at_leisure(site, seconds), 0.99);
    note("flood: strangers only");
    const double opened = site.metric("strongroom_dispatcher_messages_opened_total");
    const long faults = site.faults_of_children();
    {
        const Flood flood(site.port(), 64);
        std::this_thread::sleep_for(std::chrono::seconds(3));
    }
    const bool started = site.faults_of_children() != faults;
    const double passed = site.metric("strongroom_dispatcher_messages_opened_total") - opened;
    note("flood: strangers and agents");
    double loud = 0;
    double rate = 0;
    {
        const Flood flood(site.port(), 64);
        const auto start = Steady::now();
        loud = percentile(ask_at_leisure(site, seconds), 0.99);
        rate = 1000.0 * static_cast<double>(flood.answered() + flood.lost()) / ms_since(start);
    }
    site.stop();
    row("flood_posts_per_s", rate, "posts/s", 0);
    row("flood_quiet_p99_ms", quiet, "ms", 1);
    row("flood_p99_ms", loud, "ms", 1);
    row("flood_p99_ratio", loud / quiet, "times", 2);
    row("flood_gpg_processes", started ? std::max(1.0, passed) : 0, "processes", 0);
}

}  // namespace strongroom::bench
