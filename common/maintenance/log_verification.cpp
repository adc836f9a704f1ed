#include "common/maintenance/log_verification.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "common/backupset/set_list.hpp"
#include "common/base/json_fields.hpp"

namespace strongroom::maintenance {
namespace {

using backupset::Flaw;
using backupset::SetVerdict;

std::vector<std::string> chosen_of(std::vector<std::string> logs, const VerifyRun& run) {
    if (run.choice.sample == 0 && !run.go_on) return logs;
    std::random_device source;
    std::mt19937_64 random(source());
    std::ranges::shuffle(logs, random);
    if (run.choice.sample > 0)
        logs.resize(
            static_cast<std::size_t>(std::ceil(static_cast<double>(logs.size()) * run.choice.sample / 100)));
    return logs;
}

// Pruning takes the oldest pieces: one that is gone although older ones are there was taken by somebody else.
void check_parent(SetVerdict& verdict, const std::vector<std::string>& committed) {
    const auto& parent = verdict.manifest->parent;
    if (!parent || std::ranges::binary_search(committed, *parent) || *parent < committed.front()) return;
    verdict.add(Flaw::chain, "", "the piece before it, " + *parent + ", is gone from the store");
}

}  // namespace

LogVerdict verify_logs(const TrustedServer& server, const VerifyRun& run) {
    LogVerdict out;
    const auto committed = backupset::committed_logs(server.store, server.id);
    out.committed = committed.size();
    for (const auto& log : chosen_of(committed, run)) {
        if (out.read > 0 && run.go_on && !run.go_on()) break;
        auto verdict = backupset::verify_committed(run.read, server.store, server.id, log, server.signers,
                                                   [&](const backupset::Progress& now) {
                                                       if (run.on_progress) run.on_progress(log, now);
                                                   });
        ++out.read;
        if (verdict.good()) check_parent(verdict, committed);
        if (!verdict.good()) out.bad.push_back(std::move(verdict));
    }
    return out;
}

std::string text_of(const LogVerdict& verdict) {
    if (verdict.committed == 0) return "";
    return std::to_string(verdict.read) + " of " + std::to_string(verdict.committed) +
           " pieces of the binary log were read, " + std::to_string(verdict.bad.size()) + " are not good";
}

Json json_of(const LogVerdict& verdict) {
    Json bad = Json::array();
    for (const auto& one : verdict.bad)
        bad.push_back({{"log", one.set}, {"result", one.result()}, {"problem", one_line(one)}});
    return {{"committed", verdict.committed}, {"read", verdict.read}, {"bad", std::move(bad)}};
}

}  // namespace strongroom::maintenance
