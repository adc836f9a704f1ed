#include "agent/maintenance/maintenance.hpp"

#include "common/base/error.hpp"
#include "common/base/log.hpp"

namespace strongroom::agent {
namespace {

struct LookedAfter {
    LookedAfter(const StateDir& state, const Subject& subject, storage::ObjectStore& store)
        : lock(state.lock_maintenance()),
          server{store, subject.server, subject.signers},
          log(subject.log()) {}

    FileLock lock;
    maintenance::TrustedServer server;
    maintenance::VerificationLog log;
};

void require_going_on(const std::stop_token& stop, const char* what) {
    if (stop.stop_requested()) throw Error(ErrorKind::interrupted, std::string(what) + " was stopped");
}

}  // namespace

maintenance::ServerVerdict verify_sets(const MaintenanceConfig& config, const StateDir& state,
                                       const Subject& subject, storage::ObjectStore& store,
                                       const Clock& clock, const MaintenanceOptions& options) {
    LookedAfter looked(state, subject, store);
    const auto ends = std::chrono::steady_clock::now() + std::chrono::seconds(config.verify_for);
    maintenance::VerifyRun run;
    run.read.workers = options.workers;
    if (config.verify_for > 0) run.go_on = [&] { return std::chrono::steady_clock::now() < ends; };
    run.on_progress = [&](const std::string& set, const backupset::Progress& now) {
        require_going_on(options.stop, "the verification");
        if (options.on_progress) options.on_progress(set, now);
    };
    auto out = maintenance::verify_server(looked.server, looked.log, clock, run);
    for (const auto& one : out.sets)
        if (!one.good())
            log_event(Level::error, "AGENT_SET_NOT_GOOD", "set {}{}, {}: {}", one.set, of_whom(subject),
                      one.result(), maintenance::one_line(one));
    for (const auto& one : out.logs.bad)
        log_event(Level::error, "AGENT_SET_NOT_GOOD", "log {}{}, {}: {}", one.set, of_whom(subject),
                  one.result(), maintenance::one_line(one));
    log_event(Level::info, "AGENT_VERIFIED", "{} of {} sets{}, {} more wait for their turn", out.sets.size(),
              out.committed, of_whom(subject), out.left);
    return out;
}

PruneResult prune_own_sets(const MaintenanceConfig& config, const StateDir& state,
                           storage::ObjectStore& store, const Clock& clock, bool apply,
                           const std::stop_token& stop) {
    const auto rules = config.prune_rules();
    if (!rules.keep.any())
        throw Error(ErrorKind::config, "no rule says which sets stay",
                    "Set keep-daily = 7, keep-weekly = 5 or the like in the agent's configuration.");
    LookedAfter looked(state, own_subject(state), store);
    const FileLock no_rotation = state.lock_rotation();
    maintenance::Prune prune(looked.server, looked.log, rules, clock.now());
    PruneResult out{prune.plan(), {}, {}};
    out.logs = maintenance::plan_log_prune(looked.server, out.plan, rules.logs_within, clock.now());
    if (!apply) return out;
    prune.apply(
        out.plan,
        [&](const maintenance::PruneStep& step) {
            require_going_on(stop, "the pruning");
            if (step.action == maintenance::PruneAction::remove)
                log_event(
                    Level::info, "AGENT_SET_PRUNED", "set {} goes: {}{}", step.set, step.why,
                    step.kept.versions > 0 ? "; the store keeps " + maintenance::text_of(step.kept) : "");
        },
        [&](const std::string& set) {
            out.removed.push_back(set);
            state.change_runs([&](RunState& runs) { runs.add_removed(set); });
        });
    maintenance::apply_log_prune(looked.server, out.logs, [&] { require_going_on(stop, "the pruning"); });
    log_event(Level::info, "AGENT_PRUNED", "{} sets and {} pieces of the binary log were removed",
              out.removed.size(), out.logs.gone.size());
    return out;
}

}  // namespace strongroom::agent
