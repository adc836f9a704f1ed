#include "agent/job/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "agent/verifiers/pins.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

constexpr std::size_t most_reported = 50;  // backups in one report
constexpr std::size_t most_removed = 200;  // sets

std::string host_label() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "host";
    return printable_line(name.data(), 200);
}

}  // namespace

void report_runs(const Host& host, proto::Exchange& exchange, bool always,
                 const std::optional<proto::ServerState>& state) {
    const RunState runs = host.state.runs();
    proto::AgentReport report;
    for (const Run& run : runs.runs)
        if (!run.reported && report.backups.size() < most_reported) report.backups.push_back(run.backup);
    if (runs.removed) {
        report.removed = *runs.removed;
        if (report.removed->size() > most_removed) report.removed->resize(most_removed);
    }
    if (!always && !state && report.backups.empty() && runs.refusals.empty() && !report.removed &&
        !runs.proofs)
        return;
    report.state = state;
    report.proofs = runs.proofs;
    report.verifiers = verifier_fingerprints(host.state);
    report.version = STRONGROOM_VERSION;
    report.label = host_label();
    report.source = host.config.source;
    report.store = printable_line(host.config.store, 240);
    report.refusals = runs.refusals;
    if (!runs.runs.empty()) report.server_version = runs.runs.back().backup.server_version;
    exchange.ask(report);
    // A backup by hand may have been added meanwhile: only what was sent is marked.
    host.state.change_runs([&](RunState& now) {
        for (Run& run : now.runs)
            for (const auto& sent : report.backups)
                if (run.backup.set == sent.set) run.reported = true;
        std::erase_if(now.refusals, [&](const auto& text) {
            return std::ranges::find(report.refusals, text) != report.refusals.end();
        });
        if (report.proofs)
            for (const auto& sent : *report.proofs) now.forget_proof(sent);
        if (!report.removed || !now.removed) return;
        std::erase_if(*now.removed, [&](const auto& set) {
            return std::ranges::find(*report.removed, set) != report.removed->end();
        });
        if (now.removed->empty()) now.removed.reset();
    });
}

}  // namespace strongroom::agent
