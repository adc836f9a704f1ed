#include "tests/fault/dispatcher/model/promises.hpp"

#include "dispatcher/handler/handlers.hpp"

namespace strongroom::test {

using namespace strongroom::dispatcher;

void Promises::check(Site& site, const std::vector<Agent>& agents) {
    site.look([&](Transaction& tx) {
        std::size_t by_hand = 0;
        std::set<std::string> slots;
        for (const auto& agent : agents) {
            const auto server = tx.find_server(agent.uuid);
            hold(server && server->identity == agent.fingerprint, "a registered server stays");
            hold(!agent.retired || server->retired != 0, "a retired server stays retired");
            check_schedules(tx, agent);
            for (const auto& job : tx.list_jobs(agent.uuid, 1'000'000)) {
                check_job(job);
                by_hand += job.created_by == agent.owner ? 1U : 0U;
                if (!job.schedule.empty())  // of a group's too: a move leaves nothing behind
                    hold(slots.insert(job.schedule + std::to_string(job.slot)).second, "one job for a slot");
            }
        }
        hold(by_hand >= created.size() && by_hand <= created.size() + uncertain_jobs,
             "one job for each order: " + std::to_string(by_hand) + " of " + std::to_string(created.size()));
        for (const auto& id : created) hold(tx.find_job(id).has_value(), "an ordered job stays");
        for (const auto& [server, digest] : deposited) {
            bool there = false;
            for (const auto& record : tx.list_escrow(server)) there = there || record.sha256 == digest;
            hold(there, "an escrow record stays");
        }
        for (const auto& [server, set] : backups) {
            bool there = false;
            for (const auto& backup : tx.list_backups(server, 1'000'000)) there = there || backup.set == set;
            hold(there, "a reported backup stays");
        }
    });
}

void Promises::check_schedules(Transaction& tx, const Agent& agent) const {
    const auto found = schedules.find(agent.uuid);
    const auto listed = tx.list_schedules(agent.uuid);
    if (found == schedules.end()) return hold(listed.empty(), "no schedule that nobody set");
    const std::string cron = listed.empty() ? "" : listed.front().cron;
    hold(listed.size() <= 1 && found->second.contains(cron), "the schedule is the one that was set: " + cron);
}

void Promises::check_job(const Job& job) {
    hold(job.attempts >= 0 && (!job.group.empty() || job.attempts <= max_attempts), "attempts are bounded");
    if (is_open(job.state)) {
        hold(!ended.contains(job.id), "what has ended stays ended");
    } else {
        const auto [before, fresh] = ended.try_emplace(job.id, job.state);
        hold(before->second == job.state, "an end does not change");
    }
}

}  // namespace strongroom::test
