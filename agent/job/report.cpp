#include "agent/job/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "agent/verifiers/pins.hpp"
#include "common/base/log.hpp"
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
    const UtcTime now = host.clock.now();
    const RunState runs = host.state.runs();
    proto::AgentReport report;
    for (const Run& run : runs.runs)
        if (!run.reported && report.backups.size() < most_reported) report.backups.push_back(run.backup);
    if (runs.removed) {
        report.removed = *runs.removed;
        if (report.removed->size() > most_removed) report.removed->resize(most_removed);
    }
    if (always || runs.has_proofs_to_tell(now)) report.proofs = runs.proofs;
    if (!always && !state && report.backups.empty() && runs.refusals.empty() && !report.removed &&
        !report.proofs)
        return;
    report.state = state;
    if (report.proofs) report.sends_again = true;
    report.verifiers = verifier_fingerprints(host.state);
    report.version = STRONGROOM_VERSION;
    report.label = host_label();
    report.source = host.config.source;
    report.store = printable_line(host.config.store, 240);
    report.refusals = runs.refusals;
    if (!runs.runs.empty()) report.server_version = runs.runs.back().backup.server_version;
    const auto reply = exchange.ask(report);
    // A backup by hand may have been added meanwhile: only what was sent is marked.
    std::size_t left = 0;
    host.state.change_runs([&](RunState& after) {
        for (Run& run : after.runs)
            for (const auto& sent : report.backups)
                if (run.backup.set == sent.set) run.reported = true;
        std::erase_if(after.refusals, [&](const auto& text) {
            return std::ranges::find(report.refusals, text) != report.refusals.end();
        });
        if (report.proofs)
            left =
                after.proofs_told(*report.proofs, reply.not_yet.value_or(std::vector<proto::ProofOf>{}), now);
        if (!report.removed || !after.removed) return;
        std::erase_if(*after.removed, [&](const auto& set) {
            return std::ranges::find(*report.removed, set) != report.removed->end();
        });
        if (after.removed->empty()) after.removed.reset();
    });
    if (!reply.not_yet || reply.not_yet->empty()) return;
    const auto& first = reply.not_yet->front();
    log_event(
        Level::warning, "AGENT_PROOF_NOT_TAKEN",
        "{} proof(s), the first of set {} of server {}: the dispatcher does not know the set yet, or its "
        "server does not name this host yet; {} of them will be sent again",
        reply.not_yet->size(), first.set, first.server.value_or(host.agent.server), left);
}

}  // namespace strongroom::agent
