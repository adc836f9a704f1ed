// Random histories of users, agents, clocks, kills and lost messages against a simple model of what must
// hold:
//
//   - a change that was acknowledged survives
//   - a due slot makes exactly one job
//   - a job is held by one agent at a time, each attempt is claimed once, and there are three at most
//   - a repeated message has one effect and gets the same reply
//   - a group's job is with one member: another begins after it failed, or was silent for an hour
//   - what has ended stays ended, and nothing stays leased for ever
//
// SEED=n runs that one history, ROUNDS=n as many, each with its own seed. A failure prints its seed.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <random>

#include "common/base/encoding.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "proto/registration_code.hpp"
#include "tests/fault/dispatcher/model/promises.hpp"
#include "tests/fault/dispatcher/model/world.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace std::chrono_literals;
using namespace strongroom::test;

namespace {

class History : public World {
  public:
    using World::World;

    void run(int steps) {
        for (int i = 0; i < 2; ++i) register_agent();
        for (int i = 0; i < steps; ++i) {
            if (chance(8)) site_.die_in(1 + pick(3), chance(2));
            step();
            site_.die_in(0, false);
            promises_.check(site_, agents_);
        }
        come_to_rest();
    }

    std::size_t jobs_seen() const { return promises_.ended.size(); }

  private:
    // --- What happens ----------------------------------------------------------------------------------

    void step() {
        switch (pick(20)) {
            case 16:
                return set_group_schedule();
            case 17:
            case 18:
                if (const Agent* agent = some_agent()) tell_state(*agent);
                return;
            case 0:
                return pass(pick(90) + 1);
            case 1:
                return pass(pick(20) * 60);
            case 2:
                return set_clock();
            case 3:
                return site_.kill_and_restart();
            case 4:
                return register_agent();
            case 5:
                return set_schedule();
            case 6:
                return create_job();
            case 7:
                return cancel_job();
            case 8:
                return chance(6) ? retire() : deposit();
            case 9:
                if (Agent* agent = some_agent()) agent->holds.reset();  // it crashed
                return;
            case 10:
                return repeat_some();
            default:
                return work();
        }
    }

    void register_agent() {
        if (agents_.size() >= 4) return;
        const std::string user = users_[static_cast<std::size_t>(pick(2))];
        const std::string code = proto::make_registration_code();
        const std::string code_hash = proto::registration_code_hash(code);
        Request order = as_user(user, proto::RegistrationCreate{"host", code_hash});
        if (!ask<proto::RegistrationCreate>(order)) return;
        Agent agent;
        agent.fingerprint = fingerprint();
        agent.subkey = fingerprint();
        agent.owner = user;
        Request request = make("Registration " + code_hash, agent.fingerprint,
                               proto::Register{agent.uuid,
                                               "test.invalid",
                                               "host",
                                               "1",
                                               "key",
                                               agent.subkey,
                                               {user},
                                               code,
                                               sha256_hex(agent.token)});
        if (ask<proto::Register>(request)) agents_.push_back(agent);
    }

    void set_schedule() {
        Agent* agent = some_agent();
        if (agent == nullptr) return;
        static const char* crons[] = {"* * * * *", "*/7 * * * *", "30 2 * * *", "0 */3 * * *", ""};
        const proto::ScheduleSet order{agent->uuid, "backup", crons[pick(5)], pick(2) * pick(600)};
        Request request = as_user(agent->owner, order);
        bool refused = false;
        const auto reply = ask<proto::ScheduleSet>(request, &refused);
        auto& possible =
            promises_.schedules.try_emplace(agent->uuid, std::set<std::string>{""}).first->second;
        if (refused) return;
        if (reply) possible.clear();
        possible.insert(order.cron);  // perhaps, if there was no answer
    }

    void set_group_schedule() {
        static const char* crons[] = {"* * * * *", "*/7 * * * *", "0 */3 * * *", ""};
        Request request =
            as_user(users_[static_cast<std::size_t>(pick(2))],
                    proto::GroupScheduleSet{"shop", "backup", crons[pick(4)], 0, pick(3) * 300 - 1});
        ask<proto::GroupScheduleSet>(request);
    }

    void tell_state(const Agent& agent) {
        const auto report = report_of(chance(5) ? "" : "shop", !chance(4), chance(3) ? 100 : 0);
        Request request = as_agent(agent, report);
        ask<proto::AgentReport>(request);
    }

    void create_job() {
        Agent* agent = some_agent();
        if (agent == nullptr) return;
        Request request =
            as_user(agent->owner, proto::JobCreate{agent->uuid, chance(4) ? "escrow" : "backup"});
        bool refused = false;
        const auto reply = ask<proto::JobCreate>(request, &refused);
        if (reply) promises_.created.insert(reply->job);
        if (!reply && !refused) ++promises_.uncertain_jobs;
    }

    void cancel_job() {
        if (promises_.created.empty()) return;
        const std::string job = *std::next(promises_.created.begin(), pick(int(promises_.created.size())));
        for (const auto& user : users_) {
            Request request = as_user(user, proto::JobCancel{job});
            if (ask<proto::JobCancel>(request)) {
                site_.look([&](Transaction& tx) {
                    hold(tx.find_job(job)->state == JobState::cancelled, "a cancelled job is cancelled");
                });
            }
        }
    }

    void retire() {
        Agent* agent = some_agent();
        if (agent == nullptr || agents_.size() < 2) return;
        Request request = as_user(agent->owner, proto::ServerRetire{agent->uuid});
        if (ask<proto::ServerRetire>(request)) agent->retired = true;
    }

    void deposit() {
        Agent* agent = some_agent();
        if (agent == nullptr) return;
        const Bytes record = random_bytes(20);
        Request request =
            as_agent(*agent, proto::EscrowDeposit{agent->subkey, to_base64(record), {agent->owner}});
        if (const auto reply = ask<proto::EscrowDeposit>(request)) {
            hold(reply->sha256 == sha256_hex(record), "an escrow record is acknowledged by its digest");
            promises_.deposited.insert({agent->uuid, reply->sha256});
        }
    }

    void work() {
        Agent* agent = some_agent();
        if (agent == nullptr) return;
        if (!agent->holds) return claim(*agent);
        const auto [job, attempt] = *agent->holds;
        if (chance(2)) {
            Request request = as_agent(*agent, proto::JobProgress{job, attempt, "reading", 1, 1, 1, 1});
            const auto reply = ask<proto::JobProgress>(request);
            if (reply && !reply->cancel)
                site_.look([&](Transaction& tx) { promises_.begun.note(tx, job, agent->uuid, true_time_); });
            if (reply && reply->cancel) agent->holds.reset();
            return;
        }
        finish(*agent, job, attempt);
    }

    void claim(Agent& agent) {
        Request request = as_agent(agent, proto::JobNext{"1"});
        const auto reply = ask<proto::JobNext>(request);
        if (!reply || !reply->job) return;
        const auto& order = *reply->job;
        hold(order.attempt >= 1 && (order.group || order.attempt <= max_attempts), "attempts are bounded");
        hold(promises_.claims.insert({order.id, order.attempt}).second,
             "each attempt of a job is claimed once");
        site_.look([&](Transaction& tx) {
            hold(tx.find_job(order.id)->server == agent.uuid, "a job goes to its own server");
        });
        agent.holds = {order.id, order.attempt};
    }

    void finish(Agent& agent, const std::string& job, std::int64_t attempt) {
        proto::JobFinished result{job, attempt, "failed", proto::Problem{"source", "", "broken", ""}, {}};
        if (chance(2)) {
            proto::Backup backup;
            backup.set =
                "20261122T" + std::to_string(100'000 + ++sets_ % 800'000) + "Z-" + to_hex(random_bytes(4));
            result = {job, attempt, "succeeded", {}, backup};
        }
        promises_.begun.ends(job, agent.uuid);  // whether that is heard or not
        Request request = as_agent(agent, result);
        bool refused = false;
        if (ask<proto::JobFinished>(request, &refused)) {
            if (result.backup) promises_.backups.insert({agent.uuid, result.backup->set});
            site_.look([&](Transaction& tx) {
                const auto now = tx.find_job(job);
                const bool moved = now->held != 0 || now->server != agent.uuid;
                hold(!is_open(now->state) || now->attempts > attempt || moved,
                     "a finished attempt ends its job, or moves it");
            });
            agent.holds.reset();
        } else if (refused || chance(2)) {
            agent.holds.reset();
        }
    }

    // Agents fall silent, the clock is right again: after three leases everything has ended.
    void come_to_rest() {
        right_clock();
        for (auto& agent : agents_) agent.holds.reset();
        pass(2 * 3600);
        promises_.check(site_, agents_);
        site_.look([&](Transaction& tx) {
            for (const auto& agent : agents_)
                for (const auto& job : tx.list_jobs(agent.uuid, 1'000'000))
                    hold(job.state != JobState::leased && job.state != JobState::running,
                         "nothing stays leased for ever");
        });
    }

    Promises promises_;
    int sets_ = 0;
};

}  // namespace

TEST_CASE("a random history of users, agents, clocks, kills and lost messages keeps every promise") {
    const std::uint64_t rounds = number_from("ROUNDS", std::getenv("SEED") != nullptr ? 1 : 20);
    const std::uint64_t first = number_from("SEED", std::random_device()());
    std::size_t jobs = 0;
    std::size_t repeated = 0;
    int deaths = 0;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        const std::uint64_t seed = first + i;
        try {
            History history(seed);
            history.run(120);
            jobs += history.jobs_seen();
            repeated += history.repeated();
            deaths += history.deaths();
        } catch (const Broken& broken) {
            FAIL("SEED=" << seed << ": broken: " << broken.what);
        } catch (const Error& error) {
            FAIL("SEED=" << seed << ": " << error.text());
        }
    }
    std::cout << "SEED=" << first << " ROUNDS=" << rounds << ": " << jobs << " jobs ended, " << deaths
              << " kills, " << repeated << " repeated messages\n";
    CHECK(jobs > 0);
    CHECK(deaths > 0);
    CHECK(repeated > 0);
}
