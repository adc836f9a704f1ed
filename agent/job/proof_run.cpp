#include "agent/job/proof_run.hpp"

#include <algorithm>

#include "agent/job/job_store.hpp"
#include "agent/job/low_priority.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {

proto::SetProof to_proof(const ProofResult& result) {
    proto::SetProof out;
    out.set = result.set;
    out.time = result.finished;
    out.proven = result.proven();
    out.text = out.proven ? one_line(result) : public_line(result);
    out.text = printable_line(out.text, 1900);
    if (!result.own) out.server = result.server;
    return out;
}

ProofResult prove_set(const Host& host, const std::string& server, const std::string& set,
                      const std::stop_token& stop, const backupset::OnProgress& on_progress) {
    RateLimiter reads(host.config.maintenance.verify_read_limit);
    const auto store =
        open_store_to_verify(host.config, server == host.agent.server, &reads, stop, host.meter);
    const Subject subject = subject_of(host.config, host.state, *store, server);
    ProofOptions options{set, host.config.workers, stop, on_progress};
    auto result = at_low_priority(host.config, [&] {
        return prove_by_restoring(host.config.proof, host.state, subject, *store, host.clock, options);
    });
    host.state.change_runs([&](RunState& runs) { runs.add_proof(to_proof(result)); });
    return result;
}

void prove_after_backup(const Host& host, const std::string& set, const std::stop_token& stop,
                        const backupset::OnProgress& on_progress) noexcept {
    if (!host.config.proof.after_backup) return;
    try {
        prove_set(host, host.agent.server, set, stop, on_progress);
    } catch (const std::exception& error) {
        const std::string text = "set " + set + " was not proven after its backup: " + error.what();
        log_event(Level::error, "AGENT_PROOF_NOT_TRIED", "{}", text);
        try {
            host.state.change_runs([&](RunState& runs) { runs.add_refusal(text); });
        } catch (const std::exception& again) {
            log_event(Level::error, "AGENT_PROOF_NOT_TRIED", "and it cannot be reported: {}", again.what());
        }
    }
}

}  // namespace strongroom::agent
