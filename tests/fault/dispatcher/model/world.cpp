#include "tests/fault/dispatcher/model/world.hpp"

#include "dispatcher/handler/handlers.hpp"

namespace strongroom::test {

using namespace strongroom::dispatcher;
using namespace std::chrono_literals;

namespace {

void check_slot(Transaction& tx, const Schedule& schedule, UtcTime since, UtcTime due) {
    const auto newest = newest_slot(schedule.cron, std::max(since, due - 4h), due);
    if (!newest) return;
    for (const auto& job : tx.list_jobs(schedule.server, 1'000'000))
        if (job.schedule == schedule.id && job.slot == to_millis(*newest)) return;
    hold(false, "a due slot has its job: " + format_utc(*newest) + " of " + schedule.cron);
}

}  // namespace

World::World(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 2; ++i) {
        User user{fingerprint(), "user" + std::to_string(i), "key", "", to_millis(true_time_)};
        tokens_[user.fingerprint] = to_hex(random_bytes(32));
        user.token_hash = sha256_hex(tokens_[user.fingerprint]);
        // Before the history begins: the store itself, without a death.
        site_.transact([&](Transaction& tx) { tx.add_user(user); });
        users_.push_back(user.fingerprint);
    }
    show_clock();
}

std::string World::fingerprint() {
    std::string out;
    for (int i = 0; i < 40; ++i) out += "0123456789ABCDEF"[pick(16)];
    return out;
}

Agent* World::some_agent() {
    return agents_.empty() ? nullptr : &agents_[static_cast<std::size_t>(pick(int(agents_.size())))];
}

// Sent again after its reply: the same bytes, and nothing moves.
void World::repeat(const Request& request, const Bytes& first) {
    if (std::chrono::abs(true_time_ - request.made) > 30min) return;
    const std::string before = state();
    const int deaths = site_.deaths;
    const auto again = site_.post(request.authorization, request.json);
    if (deaths != site_.deaths || !again) return;  // stale by now, or retired
    hold(*again == first, request.type + ": a repeated message gets the same reply");
    hold(state() == before, request.type + ": a repeated message has one effect");
    ++repeated_;
}

void World::repeat_some() {
    if (answered_.empty()) return;
    const auto [request, reply] = answered_[static_cast<std::size_t>(pick(int(answered_.size())))];
    repeat(request, reply);
}

std::string World::state() {
    std::vector<std::string> servers;
    for (const auto& agent : agents_) servers.push_back(agent.uuid);
    return site_.state(servers, users_);
}

void World::pass(int seconds) {
    while (seconds > 0) {
        const int part = std::min(seconds, 30);
        true_time_ += std::chrono::seconds(part);
        seconds -= part;
        tick(seconds == 0);
    }
}

void World::tick(bool look) {
    show_clock();
    const int deaths = site_.deaths;
    site_.tick();
    if (look && deaths == site_.deaths) see_slots();  // the next one does what a dead one left
}

void World::set_clock() {
    if (offset_ != 0ms && !chance(3)) {
        offset_ = 0ms;
    } else {
        constexpr int week = 7 * 86'400;
        offset_ = std::chrono::seconds(chance(2) ? pick(600) - 300 : pick(2 * week) - week);
    }
    tick(true);
}

void World::right_clock() {
    offset_ = 0ms;
    show_clock();
}

// After a tick: the newest slot that is due has its job. (Nothing is promised to a clock that shows a
// time before the schedule was made.)
void World::see_slots() {
    const UtcTime now = site_.clock.now();
    site_.look([&](Transaction& tx) {
        for (const auto& agent : agents_)
            for (const auto& schedule : tx.list_schedules(agent.uuid))
                if (schedule.enabled != 0)
                    check_slot(tx, schedule, from_millis(schedule.created),
                               now - splay_offset(schedule.id, schedule.splay));
    });
}

}  // namespace strongroom::test
