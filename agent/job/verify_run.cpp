#include "agent/job/verify_run.hpp"

#include <algorithm>

#include "agent/escrow/record_check.hpp"
#include "agent/job/job_store.hpp"
#include "agent/job/low_priority.hpp"
#include "agent/maintenance/maintenance.hpp"
#include "agent/verifiers/subject.hpp"
#include "common/base/log.hpp"

namespace strongroom::agent {
namespace {

void verify_one(const Host& host, VerifiedServer& out, const std::stop_token& stop,
                const backupset::OnProgress& on_progress) {
    RateLimiter reads(host.config.maintenance.verify_read_limit);
    const auto store = open_store_to_verify(host.config, out.own, &reads, stop, host.meter);
    if (out.own) out.changed = changed_records(host.state, *store);
    const Subject subject = subject_of(host.config, host.state, *store, out.server);
    const auto show = [&](const std::string&, const backupset::Progress& now) {
        if (on_progress) on_progress(now);
    };
    out.verdict = at_low_priority(host.config, [&] {
        return verify_sets(host.config.maintenance, host.state, subject, *store, host.clock,
                           {stop, host.config.workers, show});
    });
}

// Runs `work`; what it throws is returned, with the server's name, unless somebody asked to stop.
template <class Work>
std::optional<Error> tried(const Host& host, const std::string& server, const std::stop_token& stop,
                           Work work) {
    try {
        work();
        return std::nullopt;
    } catch (const Error& error) {
        if (stop.stop_requested() || error.kind() == ErrorKind::interrupted) throw;
        return server == host.agent.server ? error : error.with_context("server " + server);
    }
}

}  // namespace

std::vector<VerifiedServer> verify_servers(const Host& host, const std::vector<std::string>& servers,
                                           const std::stop_token& stop,
                                           const backupset::OnProgress& on_progress) {
    std::vector<VerifiedServer> out;
    for (const auto& server : servers) {
        VerifiedServer one;
        one.server = server;
        one.own = server == host.agent.server;
        one.not_tried = tried(host, server, stop, [&] { verify_one(host, one, stop, on_progress); });
        if (one.not_tried)
            log_event(Level::error, "AGENT_NOT_VERIFIED", "{} {}", one.not_tried->text(),
                      one.not_tried->hint());
        out.push_back(std::move(one));
    }
    return out;
}

void require_verified(const std::vector<VerifiedServer>& servers) {
    maintenance::Summary summary;
    std::string detail;
    for (const auto& one : servers) {
        summary.add(one.verdict);
        const auto bad = std::ranges::find_if_not(one.verdict.sets, &backupset::SetVerdict::good);
        if (bad != one.verdict.sets.end() && detail.empty())
            detail = ": set " + bad->set + (one.own ? "" : " of server " + one.server) + ": " +
                     maintenance::one_line(*bad);
    }
    summary.require_all_good(detail);
    for (const auto& one : servers) {
        if (one.not_tried) throw *one.not_tried;
        require_unchanged(one.changed);
    }
}

ProvenServers prove_servers(const Host& host, const std::vector<std::string>& servers, const std::string& set,
                            const std::stop_token& stop, const backupset::OnProgress& on_progress) {
    ProvenServers out;
    for (const auto& server : servers) {
        auto problem = tried(host, server, stop,
                             [&] { out.results.push_back(prove_set(host, server, set, stop, on_progress)); });
        if (!problem) continue;
        log_event(Level::error, "AGENT_PROOF_NOT_TRIED", "{} {}", problem->text(), problem->hint());
        out.not_tried.push_back(std::move(*problem));
    }
    return out;
}

void require_proven(const ProvenServers& servers,
                    const std::function<std::string(const ProofResult&)>& text) {
    const auto failed = std::ranges::find_if_not(servers.results, &ProofResult::proven);
    if (failed != servers.results.end()) {
        const auto others =
            std::ranges::count_if(servers.results, [](const ProofResult& one) { return !one.proven(); });
        throw Error(ErrorKind::corrupt,
                    text(*failed) + (others > 1 ? " (and " + std::to_string(others - 1) + " more)" : ""),
                    what_to_do(*failed));
    }
    if (!servers.not_tried.empty()) throw servers.not_tried.front();
}

}  // namespace strongroom::agent
