// SIGKILL at random moments under load, a hundred times and more, on the real program; then the promises are
// checked in its database. SEED=n and KILLS=n in the environment.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/schedule/scheduler.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "proto/dispatcher_key.hpp"
#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using strongroom::test::DispatcherProcess;
using namespace std::chrono_literals;

namespace {

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What peers were told, and what they can only suppose.
struct Told {
    std::mutex mutex;
    std::set<std::string> jobs;
    std::size_t uncertain_jobs = 0;
    std::set<std::pair<std::string, std::int64_t>> claims;
    std::size_t doubled_claims = 0;
    std::map<std::string, std::string> finished;  // job -> set
    std::set<std::string> escrow;                 // digests
    std::size_t answers = 0;
    std::size_t failures = 0;
};

class Peer {
  public:
    Peer(const DispatcherProcess& dispatcher, const DispatcherProcess::Peer& peer)
        : exchange_(dispatcher.url(), {peer.home.home(), peer.fingerprint},
                    proto::dispatcher_party(peer.dispatcher.home().path()),
                    {proto::Gate::Kind::bearer, Secret(std::string(peer.token))}, clock()) {
        exchange_.set_attempts(2);  // the second is the same message, usually after a restart
    }
    template <class Message>
    std::optional<typename Message::Reply> ask(Told& told, const Message& message) {
        try {
            auto reply = exchange_.ask(message);
            const std::lock_guard lock(told.mutex);
            ++told.answers;
            return reply;
        } catch (const Error& error) {
            const bool passing = error.kind() == ErrorKind::network || error.kind() == ErrorKind::busy;
            const std::lock_guard lock(told.mutex);
            ++(passing ? told.failures : told.answers);
            if (passing && std::string(Message::type) == "job.create") ++told.uncertain_jobs;
            return std::nullopt;
        }
    }

  private:
    static const Clock& clock() {
        static const SystemClock out;
        return out;
    }
    proto::Exchange exchange_;
};

void be_user(Peer user, Told& told, const std::string& server, const std::atomic<bool>& stop) {
    while (!stop) {
        if (const auto reply = user.ask(told, proto::JobCreate{server, "backup"})) {
            const std::lock_guard lock(told.mutex);
            told.jobs.insert(reply->job);
        } else {
            std::this_thread::sleep_for(50ms);  // the queue is full, perhaps
        }
    }
}

void be_agent(Peer agent, Told& told, const DispatcherProcess::Peer& who, const std::string& owner,
              const std::atomic<bool>& stop) {
    const std::string subkey = gpg::inspect_public_key(who.public_key).encryption_subkey()->fingerprint;
    while (!stop) {
        const auto next = agent.ask(told, proto::JobNext{"1"});
        if (!next || !next->job) {
            std::this_thread::sleep_for(20ms);
            continue;
        }
        const auto& job = *next->job;
        {
            const std::lock_guard lock(told.mutex);
            if (!told.claims.insert({job.id, job.attempt}).second) ++told.doubled_claims;
        }
        if (job.kind == "escrow") {
            const Bytes record = random_bytes(50);
            if (agent.ask(told, proto::EscrowDeposit{subkey, to_base64(record), {owner}})) {
                const std::lock_guard lock(told.mutex);
                told.escrow.insert(sha256_hex(record));
            }
        }
        agent.ask(told, proto::JobProgress{job.id, job.attempt, "reading", 1, 1, 1, 1});
        proto::Backup backup;
        backup.set = make_set_id(SystemClock().now());
        if (agent.ask(told, proto::JobFinished{job.id, job.attempt, "succeeded", {}, backup})) {
            const std::lock_guard lock(told.mutex);
            told.finished[job.id] = backup.set;
        }
    }
}

void check_database(Transaction& tx, Told& told, const std::string& server, const std::string& owner) {
    std::map<std::string, Job> jobs;
    std::set<std::string> slots;
    std::size_t by_hand = 0;
    for (const auto& job : tx.list_jobs(server, 1'000'000)) {
        jobs[job.id] = job;
        by_hand += job.created_by == owner ? 1U : 0U;
        CHECK(job.attempts <= max_attempts);
        if (!job.schedule.empty()) CHECK(slots.insert(job.schedule + std::to_string(job.slot)).second);
        if (job.state == JobState::leased || job.state == JobState::running) CHECK(job.lease_until > 0);
    }
    CHECK(by_hand >= told.jobs.size());
    CHECK(by_hand <= told.jobs.size() + told.uncertain_jobs);
    for (const auto& id : told.jobs)
        if (!jobs.contains(id)) FAIL_CHECK("job " << id << " was acknowledged and lost");
    std::set<std::string> sets;
    for (const auto& backup : tx.list_backups(server, 1'000'000)) sets.insert(backup.set);
    for (const auto& [id, set] : told.finished) {
        if (!jobs.contains(id) || is_open(jobs[id].state))
            FAIL_CHECK("the result of job " << id << " is lost");
        if (!sets.contains(set)) FAIL_CHECK("the backup " << set << " was acknowledged and lost");
    }
    std::set<std::string> records;
    for (const auto& record : tx.list_escrow(server)) records.insert(record.sha256);
    for (const auto& digest : told.escrow)
        if (!records.contains(digest)) FAIL_CHECK("an escrow record was acknowledged and lost");
}

}  // namespace

TEST_CASE("SIGKILL at random moments under load loses nothing and doubles nothing") {
    const std::uint64_t seed = number_from("SEED", std::random_device()());
    const std::uint64_t kills = number_from("KILLS", 100);
    INFO("SEED=" << seed);
    std::mt19937_64 random(seed);
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const auto host = dispatcher.register_agent(*alice);
    alice->exchange->ask(proto::ScheduleSet{host->server, "escrow", "* * * * *", 0});
    const std::vector<std::string> again{"--listen", dispatcher.address, "--lease", "5"};
    dispatcher.kill_hard();
    dispatcher.start(again);

    Told told;
    std::atomic<bool> stop = false;
    {
        std::vector<std::jthread> peers;
        for (int i = 0; i < 2; ++i)
            peers.emplace_back([&, user = Peer(dispatcher, *alice)]() mutable {
                be_user(std::move(user), told, host->server, stop);
            });
        for (int i = 0; i < 2; ++i)
            peers.emplace_back([&, agent = Peer(dispatcher, *host)]() mutable {
                be_agent(std::move(agent), told, *host, alice->fingerprint, stop);
            });
        for (std::uint64_t i = 0; i < kills; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 900));
            dispatcher.kill_hard();
            dispatcher.start(again);
        }
        stop = true;
    }
    CHECK(told.doubled_claims == 0);
    CHECK(told.jobs.size() > kills / 10);  // there was load
    CHECK(told.finished.size() > kills / 20);
    CHECK(told.failures > kills / 10);  // and the kills were felt

    // Nobody works any more: leases of five seconds end, three times at most.
    const auto held = [&] { return dispatcher.metric("strongroom_dispatcher_jobs{state=\"running\"}"); };
    for (int i = 0; i < 60 && held() > 0; ++i) std::this_thread::sleep_for(500ms);
    CHECK(held() == 0);
    CHECK(dispatcher.stop(10s).ok());
    const auto store = SqliteStore::open(dispatcher.state() / "dispatcher.sqlite");
    store->read([&](Transaction& tx) { check_database(tx, told, host->server, alice->fingerprint); });
    std::cout << "SEED=" << seed << " KILLS=" << kills << ": " << told.jobs.size() << " jobs ordered, "
              << told.finished.size() << " finished, " << told.answers << " answers, " << told.failures
              << " requests without one\n";
}
