#include "common/maintenance/verification.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "common/backupset/chain.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"
#include "common/maintenance/log_verification.hpp"

namespace strongroom::maintenance {
namespace {

using backupset::Flaw;
using backupset::Manifest;
using backupset::SetVerdict;

std::vector<std::string> choose(const VerifyChoice& choice, std::vector<std::string> committed,
                                const VerificationLog& log) {
    if (!choice.sets.empty()) return choice.sets;
    const auto last = [&](const std::string& set) {
        const auto* entry = log.find(set);
        return entry == nullptr ? std::string() : entry->verified;
    };
    if (choice.sample > 0) {
        std::random_device source;
        std::mt19937_64 random(source());
        std::ranges::shuffle(committed, random);
        const double share = static_cast<double>(committed.size()) * choice.sample / 100;
        committed.resize(std::min(committed.size(), static_cast<std::size_t>(std::ceil(share))));
    }
    std::ranges::stable_sort(committed, {}, last);
    if (choice.at_most > 0 && committed.size() > static_cast<std::size_t>(choice.at_most))
        committed.resize(static_cast<std::size_t>(choice.at_most));
    return committed;
}

// What an increment builds on was read in this run (then it is among `good`), or was good when it was last
// read and is the same still.
void check_chain(SetVerdict& verdict, std::map<std::string, Manifest>& good, const TrustedServer& server,
                 const VerificationLog& log) {
    if (!verdict.manifest || verdict.manifest->kind == "full") return;
    for (auto parent = verdict.manifest->parent; parent && !good.contains(*parent);) {
        const auto* entry = log.find(*parent);
        if (entry == nullptr || !entry->good()) break;
        try {
            std::string sha256;
            auto manifest =
                backupset::read_manifest(server.store, server.id, *parent, server.signers, &sha256);
            if (sha256 != entry->manifest_sha256) break;
            parent = manifest.parent;
            good.emplace(manifest.set, std::move(manifest));
        } catch (const Error& error) {
            if (!backupset::is_about_the_data(error.kind())) throw;
            break;
        }
    }
    auto with_this = good;
    with_this.emplace(verdict.set, *verdict.manifest);
    if (const auto problem = backupset::chain_problem(with_this, verdict.set); !problem.empty())
        verdict.add(Flaw::chain, "", problem);
}

// A manifest that is signed, but not the one that was verified before: whoever has the identity key replaced
// the set.
void compare_with_log(SetVerdict& verdict, const VerificationLog& log) {
    const auto* entry = log.find(verdict.set);
    if (entry == nullptr || entry->good_sha256.empty() || !verdict.manifest) return;
    if (entry->good_sha256 != verdict.manifest_sha256)
        verdict.add(Flaw::untrusted, "", "its manifest is not the one that was verified before");
}

// A set that was written anew, as the signed manifest of another says, is not missed.
void forget_replaced(const TrustedServer& server, const std::vector<std::string>& committed,
                     VerificationLog& log) {
    const auto is_gone = [&](const auto& known) {
        return !std::ranges::binary_search(committed, known.first);
    };
    if (std::ranges::none_of(log.sets(), is_gone)) return;
    for (const auto& info : backupset::list_sets(server.store, server.id, server.signers))
        if (info.manifest && info.manifest->replaces &&
            !std::ranges::binary_search(committed, *info.manifest->replaces))
            log.forget(*info.manifest->replaces);
}

// A set that was verified once and is not in the store any more. It stays in the log until it is forgotten.
std::vector<SetVerdict> gone(const TrustedServer& server, const std::vector<std::string>& committed,
                             VerificationLog& log, bool forget) {
    forget_replaced(server, committed, log);
    std::vector<SetVerdict> out;
    for (const auto& [set, entry] : log.sets()) {
        if (std::ranges::binary_search(committed, set)) continue;
        SetVerdict& verdict = out.emplace_back();
        verdict.set = set;
        verdict.add(Flaw::missing, "",
                    "the whole set is gone from the store; it was verified at " + entry.verified);
    }
    if (!forget) return out;
    for (const auto& one : out) log.forget(one.set);
    return {};
}

}  // namespace

ServerVerdict verify_server(const TrustedServer& server, VerificationLog& log, const Clock& clock,
                            const VerifyRun& run) {
    const auto committed = backupset::committed_sets(server.store, server.id);
    ServerVerdict out;
    out.committed = committed.size();
    if (run.choice.sets.empty()) out.sets = gone(server, committed, log, run.choice.forget_missing);
    // Chosen by age, and read so: if not all are begun, the rest is what a later run begins with. What an
    // increment builds on is found in the log then, or among those read before it.
    auto chosen = choose(run.choice, committed, log);
    if (!run.go_on) std::ranges::sort(chosen);
    std::map<std::string, Manifest> good;
    std::size_t begun = 0;
    try {
        for (const auto& set : chosen) {
            if (begun > 0 && run.go_on && !run.go_on()) break;
            ++begun;
            auto verdict = backupset::verify_committed(run.read, server.store, server.id, set, server.signers,
                                                       [&](const backupset::Progress& now) {
                                                           if (run.on_progress) run.on_progress(set, now);
                                                       });
            compare_with_log(verdict, log);
            if (verdict.good()) check_chain(verdict, good, server, log);
            if (verdict.good()) good.emplace(set, *verdict.manifest);
            log.note(verdict, clock.now());
            if (!run.sign) log.save(false);
            out.sets.push_back(std::move(verdict));
        }
    } catch (...) {
        if (run.sign) log.save(true);
        throw;
    }
    if (run.sign || run.choice.forget_missing) log.save(run.sign);
    out.left = chosen.size() - begun;
    std::ranges::stable_sort(out.sets, {}, &SetVerdict::set);
    if (run.choice.sets.empty() && run.choice.at_most == 0) out.logs = verify_logs(server, run);
    return out;
}

void Summary::add(const ServerVerdict& verdict) {
    checked += verdict.sets.size() + verdict.logs.read;
    const auto count = [&](const SetVerdict& one) {
        if (one.good()) return;
        ++bad;
        worst = std::min(worst, one.worst);
    };
    for (const auto& one : verdict.sets) count(one);
    for (const auto& one : verdict.logs.bad) count(one);
}

void Summary::require_all_good(const std::string& detail) const {
    if (bad == 0) return;
    throw Error(
        backupset::kind_of(worst),
        std::to_string(bad) + " of " + std::to_string(checked) + " set(s) are not good" + detail,
        worst == Flaw::untrusted
            ? "Find out who changed the store. Restore only from sets that are good."
            : "Copy the objects that are named from another copy of the store, or make a new backup.");
}

std::string one_line(const SetVerdict& verdict) {
    if (verdict.good()) return "";
    const auto& first = verdict.findings.front();
    std::string out = (first.object.empty() ? "" : first.object + ": ") + first.text;
    if (verdict.flaws > 1) out += " (and " + std::to_string(verdict.flaws - 1) + " more)";
    return out;
}

}  // namespace strongroom::maintenance
