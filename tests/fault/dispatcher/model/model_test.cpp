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
#include <map>
#include <random>
#include <set>

#include "common/base/encoding.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "proto/registration_code.hpp"
#include "tests/fault/dispatcher/model/peers.hpp"
#include "tests/fault/dispatcher/model/site.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace std::chrono_literals;
using namespace strongroom::test;

namespace {

class History {
  public:
    explicit History(std::uint64_t seed) : random_(seed) {
        for (int i = 0; i < 2; ++i) {
            User user{fingerprint(), "user" + std::to_string(i), "key", "", to_millis(true_time_)};
            tokens_[user.fingerprint] = to_hex(random_bytes(32));
            user.token_hash = sha256_hex(tokens_[user.fingerprint]);
            // Before the history begins: the store itself, without a death.
            add_user(user);
            users_.push_back(user.fingerprint);
        }
        show_clock();
    }

    void run(int steps) {
        for (int i = 0; i < 2; ++i) register_agent();
        for (int i = 0; i < steps; ++i) {
            if (chance(8)) site_.die_in(1 + pick(3), chance(2));
            step();
            site_.die_in(0, false);
            check();
        }
        come_to_rest();
    }

    std::size_t jobs_seen() const { return ended_.size(); }
    int deaths() const { return site_.deaths; }
    std::size_t repeated() const { return repeated_; }

  private:
    int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
    bool chance(int one_in) { return pick(one_in) == 0; }
    std::string fingerprint() {
        std::string out;
        for (int i = 0; i < 40; ++i) out += "0123456789ABCDEF"[pick(16)];
        return out;
    }
    Agent* some_agent() {
        return agents_.empty() ? nullptr : &agents_[static_cast<std::size_t>(pick(int(agents_.size())))];
    }
    void show_clock() { site_.clock.set(true_time_ + offset_); }
    void add_user(const User& user) {
        site_.transact([&](Transaction& tx) { tx.add_user(user); });
    }

    // --- Messages -------------------------------------------------------------------------------------

    template <class Message>
    Request make(const std::string& authorization, const std::string& from, const Message& body) {
        proto::Header header{Message::type, from, std::string(40, 'D'), random_uuid(), true_time_, {}};
        return {authorization, proto::encode(header, to_json(body)).json, Message::type, true_time_};
    }
    template <class Message>
    Request as_user(const std::string& user, const Message& body) {
        return make("Bearer " + tokens_[user], user, body);
    }
    template <class Message>
    Request as_agent(const Agent& agent, const Message& body) {
        return make("Bearer " + agent.token, agent.fingerprint, body);
    }

    // The reply's body, if it reached the sender: messages and replies are lost, and senders give up. An
    // answer that carries an error is an answer, too: `refused`.
    template <class Message>
    std::optional<typename Message::Reply> ask(Request& request, bool* refused = nullptr) {
        for (int attempt = 0; attempt < 3; ++attempt) {
            if (chance(12)) {  // lost before it arrived
                pass(pick(20));
                continue;
            }
            const auto reply = site_.post(request.authorization, request.json);
            if (!reply || chance(10)) {  // refused, dead, or the reply was lost
                pass(pick(20));
                continue;
            }
            if (chance(4)) repeat(request, *reply);
            answered_.emplace_back(request, *reply);
            if (answered_.size() > 30) answered_.erase(answered_.begin());
            const proto::Message message = proto::decode(*reply);
            hold(message.header.re && message.header.re->digest == sha256_hex(request.json),
                 "a reply names its request");
            if (message.header.type == "error") {
                if (refused != nullptr) *refused = true;
                return std::nullopt;
            }
            return from_json<typename Message::Reply>(message.body);
        }
        return std::nullopt;
    }

    // Sent again after its reply: the same bytes, and nothing moves.
    void repeat(const Request& request, const Bytes& first) {
        if (std::chrono::abs(true_time_ - request.made) > 30min) return;
        const std::string before = state();
        const int deaths = site_.deaths;
        const auto again = site_.post(request.authorization, request.json);
        if (deaths != site_.deaths || !again) return;  // stale by now, or retired
        hold(*again == first, request.type + ": a repeated message gets the same reply");
        hold(state() == before, request.type + ": a repeated message has one effect");
        ++repeated_;
    }

    std::string state() {
        std::vector<std::string> servers;
        for (const auto& agent : agents_) servers.push_back(agent.uuid);
        return site_.state(servers, users_);
    }

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
                if (!answered_.empty()) {
                    const auto [request, reply] =
                        answered_[static_cast<std::size_t>(pick(int(answered_.size())))];
                    repeat(request, reply);
                }
                return;
            default:
                return work();
        }
    }

    // True time goes on; the dispatcher ticks every second, as far as that matters.
    void pass(int seconds) {
        while (seconds > 0) {
            const int part = std::min(seconds, 30);
            true_time_ += std::chrono::seconds(part);
            seconds -= part;
            tick(seconds == 0);
        }
    }

    void tick(bool look) {
        show_clock();
        const int deaths = site_.deaths;
        site_.tick();
        if (look && deaths == site_.deaths) see_slots();  // the next one does what a dead one left
    }

    void set_clock() {
        if (offset_ != 0ms && !chance(3)) {
            offset_ = 0ms;
        } else {
            constexpr int week = 7 * 86'400;
            offset_ = std::chrono::seconds(chance(2) ? pick(600) - 300 : pick(2 * week) - week);
        }
        tick(true);
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
        auto& possible = schedules_.try_emplace(agent->uuid, std::set<std::string>{""}).first->second;
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
        if (reply) created_.insert(reply->job);
        if (!reply && !refused) ++uncertain_jobs_;
    }

    void cancel_job() {
        if (created_.empty()) return;
        const std::string job = *std::next(created_.begin(), pick(int(created_.size())));
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
            deposited_.insert({agent->uuid, reply->sha256});
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
                site_.look([&](Transaction& tx) { begun_.note(tx, job, agent->uuid, true_time_); });
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
        hold(claims_.insert({order.id, order.attempt}).second, "each attempt of a job is claimed once");
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
        begun_.ends(job, agent.uuid);  // whether that is heard or not
        Request request = as_agent(agent, result);
        bool refused = false;
        if (ask<proto::JobFinished>(request, &refused)) {
            if (result.backup) backups_.insert({agent.uuid, result.backup->set});
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

    // --- What must hold --------------------------------------------------------------------------------

    // After a tick: the newest slot that is due has its job. (Nothing is promised to a clock that shows a
    // time before the schedule was made.)
    void see_slots() {
        const UtcTime now = site_.clock.now();
        site_.look([&](Transaction& tx) {
            for (const auto& agent : agents_)
                for (const auto& schedule : tx.list_schedules(agent.uuid))
                    if (schedule.enabled != 0)
                        check_slot(tx, schedule, from_millis(schedule.created),
                                   now - splay_offset(schedule.id, schedule.splay));
        });
    }

    void check_slot(Transaction& tx, const Schedule& schedule, UtcTime since, UtcTime due) {
        const auto newest = newest_slot(schedule.cron, std::max(since, due - 4h), due);
        if (!newest) return;
        for (const auto& job : tx.list_jobs(schedule.server, 1'000'000))
            if (job.schedule == schedule.id && job.slot == to_millis(*newest)) return;
        hold(false, "a due slot has its job: " + format_utc(*newest) + " of " + schedule.cron);
    }

    void check() {
        site_.look([&](Transaction& tx) {
            std::size_t by_hand = 0;
            std::set<std::string> slots;
            for (const auto& agent : agents_) {
                const auto server = tx.find_server(agent.uuid);
                hold(server && server->identity == agent.fingerprint, "a registered server stays");
                hold(!agent.retired || server->retired != 0, "a retired server stays retired");
                check_schedules(tx, agent);
                for (const auto& job : tx.list_jobs(agent.uuid, 1'000'000)) {
                    check_job(job);
                    by_hand += job.created_by == agent.owner ? 1U : 0U;
                    if (!job.schedule.empty())  // of a group's too: a move leaves nothing behind
                        hold(slots.insert(job.schedule + std::to_string(job.slot)).second,
                             "one job for a slot");
                }
            }
            hold(by_hand >= created_.size() && by_hand <= created_.size() + uncertain_jobs_,
                 "one job for each order: " + std::to_string(by_hand) + " of " +
                     std::to_string(created_.size()));
            for (const auto& id : created_) hold(tx.find_job(id).has_value(), "an ordered job stays");
            for (const auto& [server, digest] : deposited_) {
                bool there = false;
                for (const auto& record : tx.list_escrow(server)) there = there || record.sha256 == digest;
                hold(there, "an escrow record stays");
            }
            for (const auto& [server, set] : backups_) {
                bool there = false;
                for (const auto& backup : tx.list_backups(server, 1'000'000))
                    there = there || backup.set == set;
                hold(there, "a reported backup stays");
            }
        });
    }

    void check_schedules(Transaction& tx, const Agent& agent) {
        const auto found = schedules_.find(agent.uuid);
        const auto listed = tx.list_schedules(agent.uuid);
        if (found == schedules_.end()) return hold(listed.empty(), "no schedule that nobody set");
        const std::string cron = listed.empty() ? "" : listed.front().cron;
        hold(listed.size() <= 1 && found->second.contains(cron),
             "the schedule is the one that was set: " + cron);
    }

    void check_job(const Job& job) {
        hold(job.attempts >= 0 && (!job.group.empty() || job.attempts <= max_attempts),
             "attempts are bounded");
        if (is_open(job.state)) {
            hold(!ended_.contains(job.id), "what has ended stays ended");
        } else {
            const auto [before, fresh] = ended_.try_emplace(job.id, job.state);
            hold(before->second == job.state, "an end does not change");
        }
    }

    // Agents fall silent, the clock is right again: after three leases everything has ended.
    void come_to_rest() {
        offset_ = 0ms;
        show_clock();
        for (auto& agent : agents_) agent.holds.reset();
        pass(2 * 3600);
        check();
        site_.look([&](Transaction& tx) {
            for (const auto& agent : agents_)
                for (const auto& job : tx.list_jobs(agent.uuid, 1'000'000))
                    hold(job.state != JobState::leased && job.state != JobState::running,
                         "nothing stays leased for ever");
        });
    }

    std::mt19937_64 random_;
    Site site_;
    UtcTime true_time_ = parse_utc("2026-11-22T01:37:00Z");
    std::chrono::milliseconds offset_{0};
    std::vector<std::string> users_;
    std::map<std::string, std::string> tokens_;
    std::vector<Agent> agents_;
    std::vector<std::pair<Request, Bytes>> answered_;
    std::map<std::string, std::set<std::string>> schedules_;  // server -> what its schedule may be
    std::set<std::string> created_;
    std::size_t uncertain_jobs_ = 0;
    std::set<std::pair<std::string, std::string>> deposited_;
    std::set<std::pair<std::string, std::string>> backups_;
    std::set<std::pair<std::string, std::int64_t>> claims_;
    BegunJobs begun_;
    std::map<std::string, JobState> ended_;
    int sets_ = 0;
    std::size_t repeated_ = 0;
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
