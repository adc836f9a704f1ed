// Ten thousand agents in the long poll: memory, CPU, waking, and a restart.
#include <unistd.h>

#include <random>
#include <thread>

#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "proto/poll_timing.hpp"
#include "tests/bench/dispatcher_phases.hpp"

namespace strongroom::bench {

using dispatcher::SqliteStore;

namespace {

// Agents that wait as the real one does, at its own times: the connection is kept, one poll follows the last.
class Fleet {
  public:
    Fleet(Load& load, const std::vector<Peer>& agents) : load_(load) {
        for (std::size_t i = 0; i < agents.size(); ++i) {
            members_.push_back({agents[i].authorization(),
                                &load.add(static_cast<int>(i % 8)),
                                proto::PollTiming(static_cast<std::uint32_t>(i + 1)),
                                {},
                                0});
        }
    }
    void arrive(std::chrono::milliseconds over) {
        std::uniform_int_distribution<long long> when(0, over.count());
        for (auto& member : members_)
            load_.after(std::chrono::milliseconds(when(random_)), [this, &member] { wait(member); });
    }
    // When this agent was told of work.
    Steady::time_point woken(std::size_t at) const { return members_[at].woken; }
    std::int64_t woken_at(std::size_t at) const { return members_[at].woken_at; }  // by the wall clock
    long failures() const { return failures_; }
    long polls() const { return polls_; }

  private:
    struct Member {
        std::string authorization;
        Load::Client* client;
        proto::PollTiming timing;
        Steady::time_point woken;
        std::int64_t woken_at;
    };
    void wait(Member& member) {
        ++polls_;
        const std::string seconds = std::to_string(member.timing.poll().count());
        std::string request = get_request("/v1/wait?seconds=" + seconds, member.authorization);
        load_.send(*member.client, std::move(request), [this, &member](const Load::Answer& answer) {
            if (answer.status == 200) {
                member.woken = Steady::now();
                member.woken_at = to_millis(SystemClock().now());
                return;  // it would fetch its job now
            }
            const bool failed = answer.status != 204;
            if (failed)
                ++failures_;
            else
                member.timing.begin_anew();
            // Answers that were sent together reach hosts far away at different times.
            const std::chrono::milliseconds way(std::uniform_int_distribution<int>(0, 200)(random_));
            load_.after(failed ? member.timing.pause() : proto::between_polls + way,
                        [this, &member] { wait(member); });
        });
    }
    Load& load_;
    std::vector<Member> members_;
    std::mt19937 random_{4};
    long failures_ = 0;
    long polls_ = 0;
};

// Until that many wait, by the dispatcher's own count; seconds.
double until_waiting(Site& site, Load& load, std::size_t count, std::chrono::seconds limit) {
    const auto start = Steady::now();
    auto next_look = start;
    double waiting = 0;
    load.run(limit, [&] {
        if (Steady::now() < next_look) return false;
        waiting = site.metric("strongroom_dispatcher_waiters");
        next_look = Steady::now() + std::chrono::milliseconds(250);
        return waiting >= static_cast<double>(count);
    });
    if (waiting < static_cast<double>(count))
        note("only " + std::to_string(static_cast<long>(waiting)) + " of " + std::to_string(count) + " wait");
    return ms_since(start) / 1000;
}

}  // namespace

void measure_waiting(Site& site, const Sizes& sizes) {
    constexpr std::size_t wakes = 200;
    constexpr int window = 88;                                        // two polls of each
    constexpr std::chrono::seconds until_even = proto::longest_poll;  // polls end as often as they will
    site.add_plain_servers(static_cast<std::size_t>(sizes.agents) + wakes, false);
    std::vector<Peer> agents(site.plain_servers().begin(),
                             site.plain_servers().begin() + sizes.agents + wakes);
    std::vector<std::string> orders;
    note("waiting: sealing " + std::to_string(wakes) + " orders");
    for (std::size_t i = 0; i < wakes; ++i)
        orders.push_back(
            site.sealed(site.user(), proto::JobCreate{agents[i * 50 % agents.size()].uuid, "backup"}));

    site.start();
    const double empty = site.rss_mib();
    Load load(site.port());
    Fleet fleet(load, agents);
    note("waiting: " + std::to_string(agents.size()) + " agents arrive");
    fleet.arrive(std::chrono::seconds(10));
    until_waiting(site, load, agents.size(), std::chrono::seconds(40));
    row("wait_agents", site.metric("strongroom_dispatcher_waiters"), "agents", 0);
    note("waiting: for two minutes");
    load.run(until_even, [] { return false; });
    const long ticks = site.cpu_ticks();
    const long polls = fleet.polls();
    const auto start = Steady::now();
    load.run(std::chrono::seconds(window), [] { return false; });
    const double seconds = ms_since(start) / 1000;
    row("wait_cpu_percent",
        100.0 * static_cast<double>(site.cpu_ticks() - ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)) /
            seconds,
        "% of a core");
    row("wait_polls_per_s", static_cast<double>(fleet.polls() - polls) / seconds, "polls/s", 0);
    row("wait_rss_mib", site.rss_mib(), "MiB", 1);
    row("wait_bytes_each", (site.rss_mib() - empty) * 1024 * 1024 / static_cast<double>(agents.size()),
        "bytes", 0);

    note("waking");
    std::vector<double> from_order;
    std::vector<double> after_reply;
    auto& user = load.add(20);
    for (std::size_t i = 0; i < wakes; ++i) {
        const std::size_t at = i * 50 % agents.size();
        bool answered = false;
        Load::Answer answer;
        const auto sent = Steady::now();
        Steady::time_point replied;
        load.send(user, orders[i], [&](const Load::Answer& got) {
            answer = got;
            replied = Steady::now();
            answered = true;
        });
        const auto done = [&] { return answered && fleet.woken(at) != Steady::time_point(); };
        if (!load.run(std::chrono::seconds(10), done))
            throw Error(ErrorKind::internal, "an agent was not woken: " + answer.body);
        if (answer.status != 200) throw Error(ErrorKind::internal, "an order was refused: " + answer.body);
        from_order.push_back(std::chrono::duration<double, std::milli>(fleet.woken(at) - sent).count());
        after_reply.push_back(std::chrono::duration<double, std::milli>(fleet.woken(at) - replied).count());
        load.run(std::chrono::milliseconds(20), [] { return false; });
    }
    // From the moment that stands in the job, which its transaction wrote before the commit.
    std::vector<double> from_job;
    SqliteStore::open(site.state() / "dispatcher.sqlite", SqliteStore::Use::command)
        ->read([&](dispatcher::Transaction& tx) {
            for (std::size_t i = 0; i < wakes; ++i) {
                const std::size_t at = i * 50 % agents.size();
                const auto jobs = tx.list_jobs(agents[at].uuid, 1);
                from_job.push_back(static_cast<double>(fleet.woken_at(at) - jobs.at(0).created));
            }
        });
    row("wake_p50_ms", percentile(from_job, 0.5), "ms", 1);
    row("wake_p99_ms", percentile(from_job, 0.99), "ms", 1);
    row("wake_from_order_p50_ms", percentile(from_order, 0.5), "ms", 1);
    row("wake_from_order_p99_ms", percentile(from_order, 0.99), "ms", 1);
    row("wake_after_reply_p99_ms", percentile(after_reply, 0.99), "ms", 1);

    note("restart after SIGKILL");
    site.kill_hard();
    const auto killed = Steady::now();
    site.start();
    load.set_port(site.port());
    const long faults = site.faults_of_children();
    until_waiting(site, load, agents.size() - wakes, std::chrono::seconds(60));
    row("restart_s", ms_since(killed) / 1000, "s");
    row("restart_waiting", site.metric("strongroom_dispatcher_waiters"), "agents", 0);
    row("restart_gpg_processes", site.faults_of_children() == faults ? 0 : 1, "processes (1: at least one)",
        0);
    row("stop_s", site.stop(), "s");
}

}  // namespace strongroom::bench
