#include "agent/state/records.hpp"

#include <algorithm>

#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

constexpr std::size_t kept_runs = 200;
constexpr std::size_t most_runs = 1000;
constexpr std::size_t kept_refusals = 100;
constexpr std::size_t kept_proofs = 100;
constexpr std::chrono::milliseconds tell_again = std::chrono::hours(1);
constexpr std::chrono::milliseconds told_for = std::chrono::days(7);

}  // namespace

bool KeyState::knows(const std::string& fingerprint) const {
    return std::ranges::any_of(subkeys,
                               [&](const KnownSubkey& known) { return known.fingerprint == fingerprint; });
}

const Run* RunState::find(const std::optional<std::string>& job, const std::optional<std::string>& schedule,
                          std::optional<std::int64_t> slot) const {
    const auto found = std::ranges::find_if(runs, [&](const Run& run) {
        if (job && run.job == job) return true;
        return schedule && slot && run.backup.schedule == schedule && run.backup.slot == slot;
    });
    return found == runs.end() ? nullptr : &*found;
}

void RunState::add(Run run) {
    runs.push_back(std::move(run));
    if (runs.size() <= kept_runs) return;
    const auto reported = std::ranges::find_if(runs, &Run::reported);
    if (reported != runs.end()) {
        runs.erase(reported);
    } else if (runs.size() > most_runs) {
        runs.erase(runs.begin());
    }
}

void RunState::add_replacement(Run run) {
    if (std::ranges::find(runs, run.backup.set, [](const Run& one) { return one.backup.set; }) != runs.end())
        return;
    const auto later =
        std::ranges::find_if(runs, [&](const Run& one) { return one.backup.created > run.backup.created; });
    runs.insert(later, std::move(run));
}

void RunState::add_removed(const std::string& set) {
    if (!removed) removed.emplace();
    removed->push_back(set);
}

void RunState::add_proof(proto::SetProof proof) {
    if (!proofs) proofs.emplace();
    std::erase_if(*proofs,
                  [&](const auto& one) { return one.set == proof.set && one.server == proof.server; });
    if (proofs->size() >= kept_proofs) proofs->erase(proofs->begin());
    proofs->push_back(std::move(proof));
}

bool RunState::has_proofs_to_tell(UtcTime now) const {
    if (!proofs || !proofs_left) return proofs.has_value();
    const std::int64_t time = to_millis(now);
    const auto is_new = [&](const auto& one) { return one.time > *proofs_left && one.time <= time; };
    return time < *proofs_left || time - *proofs_left >= tell_again.count() ||
           std::ranges::any_of(*proofs, is_new);
}

std::size_t RunState::proofs_told(const std::vector<proto::SetProof>& sent,
                                  const std::vector<proto::ProofOf>& left, UtcTime now) {
    std::size_t kept = 0;
    const auto is_done = [&](const proto::SetProof& one) {
        const auto is_it = [&](const auto& of) { return of.set == one.set && of.server == one.server; };
        const auto told = std::ranges::find_if(sent, is_it);
        if (told == sent.end() || told->time != one.time) return false;  // a later one, made meanwhile
        const bool keep = std::ranges::any_of(left, is_it) && to_millis(now) - one.time < told_for.count();
        kept += keep ? 1 : 0;
        return !keep;
    };
    proofs_left.reset();
    if (!proofs) return 0;
    std::erase_if(*proofs, is_done);
    if (kept > 0) proofs_left = to_millis(now);
    if (proofs->empty()) proofs.reset();
    return kept;
}

void RunState::add_refusal(std::string text) {
    text = printable_line(text, 1500);
    if (std::ranges::find(refusals, text) != refusals.end()) return;
    if (refusals.size() >= kept_refusals) refusals.erase(refusals.begin());
    refusals.push_back(std::move(text));
}

}  // namespace strongroom::agent
