#include "agent/job/order_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "agent/escrow/escrow.hpp"
#include "agent/job/job_store.hpp"
#include "agent/job/lease_keeper.hpp"
#include "agent/job/low_priority.hpp"
#include "agent/job/proof_run.hpp"
#include "agent/job/verify_run.hpp"
#include "agent/maintenance/maintenance.hpp"
#include "agent/rotation/rotation.hpp"
#include "agent/server_state/server_state.hpp"
#include "agent/source/tool.hpp"
#include "agent/verifiers/subject.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

// An interrupted job may come again at once this often; after that the least interval counts for it too.
constexpr std::int64_t free_attempts = 5;

FileLock wait_for_lock(const StateDir& state, LeaseKeeper& keeper, const std::stop_token& stop) {
    return state.wait_to_lock_backup([&] {
        keeper.set_stage("waiting for another backup");
        if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "stopped while another backup ran");
    });
}

// The first word becomes the problem's stage (to_problem).
std::string unfit(const std::string& why) {
    return std::string(proto::unfit_stage) + ": " + why;
}

void mark_reported(const StateDir& state, const std::string& set) {
    state.change_runs([&](RunState& runs) {
        for (auto& run : runs.runs)
            if (run.backup.set == set) run.reported = true;
    });
}

}  // namespace

OrderRunner::OrderRunner(const Host& host, std::function<proto::Exchange()> connect,
                         std::function<void()> tick, std::stop_token stop)
    : host_(host),
      policy_{host.config.allow_kinds, std::chrono::seconds(host.config.min_interval),
              std::chrono::seconds(host.config.min_rotation_interval),
              std::chrono::seconds(host.config.maintenance.min_verify_interval),
              BackupWindows(host.config.backup_windows)},
      connect_(std::move(connect)),
      tick_(std::move(tick)),
      stop_(std::move(stop)) {}

void OrderRunner::require_allowed(const proto::JobOrder& order) {
    policy_.require_kind(order.kind);
    if (proto::is_backup_kind(order.kind)) require_source(host_.config);
    if (order.group && (!proto::is_backup_kind(order.kind) || *order.group != host_.config.group))
        throw Error(ErrorKind::refused, unfit("this host is not in group " + *order.group),
                    "Its agent.toml says which group it is in.");
    if (order.kind == "rotate") {
        const KeyState keys = host_.state.keys();
        if (!keys.rotation && keys.last_started)
            policy_.require_rotation_interval(host_.clock.now(), from_millis(*keys.last_started));
    }
    const RunState runs = host_.state.runs();
    if (order.kind == "verify" && runs.last_verify && runs.last_verify_job != order.id)
        policy_.require_verify_interval(host_.clock.now(), from_millis(*runs.last_verify));
    if (order.kind == "verify-full" && runs.last_proof && runs.last_proof_job != order.id)
        policy_.require_verify_interval(host_.clock.now(), from_millis(*runs.last_proof));
    if (!proto::is_backup_kind(order.kind)) return;
    policy_.require_window(host_.clock.now());
    const bool again = runs.last_job == order.id && order.attempt > 1 && order.attempt <= free_attempts;
    if (again || !runs.last_ordered) return;
    policy_.require_interval(host_.clock.now(), from_millis(*runs.last_ordered));
}

// What the dispatcher knows may be a minute old: the host looks itself, and decides itself.
void OrderRunner::require_fit(const proto::JobOrder& order, proto::Exchange& exchange) {
    const auto fitness = proto::fitness_for_group(ask_server_state(host_.config, host_.clock.now()));
    if (fitness.standing == proto::Standing::unfit)
        throw Error(ErrorKind::busy, unfit(printable_line(fitness.reason)),
                    "Another member of the group is asked.");
    if (fitness.standing == proto::Standing::primary)
        log_event(Level::warning, "AGENT_PRIMARY_BACKED_UP",
                  "job {} of group {}: this host is no replica and is backed up all the same: {}", order.id,
                  *order.group, fitness.reason);
    // Begun only once the dispatcher knows: until then it may give the job to another member.
    proto::JobProgress begins;
    begins.job = order.id;
    begins.attempt = order.attempt;
    begins.stage = "starting";
    if (exchange.ask(begins).cancel) throw Error(ErrorKind::interrupted, "the job was cancelled");
}

template <class Work>
auto OrderRunner::under_lease(const std::optional<proto::JobOrder>& order, Work work, Until until) {
    std::stop_source job_stop;
    std::atomic<bool> window_over{false};
    const auto tick = [&] {
        if (tick_) tick_();
        if (until != Until::window_ends || policy_.windows.contains(host_.clock.now())) return;
        window_over = true;
        job_stop.request_stop();
    };
    const std::stop_callback process_stops(stop_, [&] { job_stop.request_stop(); });
    LeaseKeeper keeper({order, connect_, std::chrono::seconds(10), tick}, job_stop);
    try {
        return work(keeper, job_stop.get_token());
    } catch (const Error&) {
        if (window_over)
            throw Error(
                ErrorKind::interrupted,
                "window: the backup was stopped, since its window (" + policy_.windows.text() + ") is over",
                "window-end = \"finish\" lets it end; or make the window longer.");
        const std::string reason = keeper.reason();
        if (reason.empty()) throw;
        throw Error(ErrorKind::interrupted, reason);
    }
}

proto::Backup OrderRunner::back_up(const std::optional<proto::JobOrder>& order, const Origin& origin) {
    const bool stops = host_.config.window_end == "stop";
    const auto work = [&](LeaseKeeper& keeper, const std::stop_token& stop) {
        const FileLock lock = wait_for_lock(host_.state, keeper, stop);
        return run_backup(host_, origin, lock, stop,
                          [&](const backupset::Progress& progress) { keeper.update(progress); });
    };
    return under_lease(order, work, stops ? Until::window_ends : Until::done);
}

void OrderRunner::rotate_keys(const proto::JobOrder& order, proto::Exchange& exchange) {
    under_lease(order, [&](LeaseKeeper& keeper, const std::stop_token& stop) {
        RotateOptions options;
        options.job = order.id;
        options.algorithm = host_.config.rotation_key_type;
        options.workers = host_.config.workers;
        options.exchange = &exchange;
        options.stop = stop;
        options.on_stage = [&](const RotationStage& stage) {
            backupset::Progress progress{.stage = stage.name};
            progress.segments = static_cast<std::int64_t>(stage.done);
            if (stage.total > 0) progress.stage += fmt::format(" {} %", stage.done * 20 / stage.total * 5);
            keeper.update(progress);
        };
        const auto store = open_job_store(host_.config, host_.config.store, nullptr, stop, host_.meter);
        rotate(host_.state, *store, host_.clock, options);
    });
}

void OrderRunner::verify_sets(const proto::JobOrder& order) {
    host_.state.change_runs([&](RunState& runs) {
        runs.last_verify = to_millis(host_.clock.now());
        runs.last_verify_job = order.id;
    });
    const auto servers = under_lease(order, [&](LeaseKeeper& keeper, const std::stop_token& stop) {
        return verify_servers(host_, subjects_of(host_.config, host_.state), stop,
                              [&](const backupset::Progress& now) { keeper.update(now); });
    });
    require_verified(servers);
}

void OrderRunner::prove_newest(const proto::JobOrder& order, std::optional<proto::SetProof>& proof) {
    host_.state.change_runs([&](RunState& runs) {
        runs.last_proof = to_millis(host_.clock.now());
        runs.last_proof_job = order.id;
    });
    const auto servers = under_lease(order, [&](LeaseKeeper& keeper, const std::stop_token& stop) {
        return prove_servers(host_, subjects_of(host_.config, host_.state), "latest", stop,
                             [&](const backupset::Progress& now) { keeper.update(now); });
    });
    for (const auto& one : servers.results)
        if (one.own) proof = to_proof(one);
    require_proven(servers, public_line);
}

void OrderRunner::prove_after(const std::string& set) {
    if (!host_.config.proof.after_backup) return;
    under_lease({},
                [&](LeaseKeeper&, const std::stop_token& stop) { prove_after_backup(host_, set, stop, {}); });
}

void OrderRunner::prune_sets(const proto::JobOrder& order) {
    under_lease(order, [&](LeaseKeeper& keeper, const std::stop_token& stop) {
        keeper.set_stage("pruning");
        const auto store = open_maintenance_store(host_.config, nullptr, stop, host_.meter);
        at_low_priority(host_.config, [&] {
            prune_own_sets(host_.config.maintenance, host_.state, *store, host_.clock, true, stop);
        });
    });
}

std::optional<proto::Backup> OrderRunner::carry_out(const proto::JobOrder& order, proto::Exchange& exchange,
                                                    std::optional<proto::SetProof>& proof) {
    if (proto::is_backup_kind(order.kind)) {
        const RunState runs = host_.state.runs();
        if (const Run* earlier = runs.find(order.id, order.schedule, order.slot)) {
            log_event(Level::info, "AGENT_JOB_DONE_EARLIER", "job {} was done already, as set {}", order.id,
                      earlier->backup.set);
            return earlier->backup;
        }
    }
    if (order.kind == "rotate" && host_.state.keys().last_job == order.id) {
        log_event(Level::info, "AGENT_JOB_DONE_EARLIER", "job {} was done already", order.id);
        return std::nullopt;
    }
    require_allowed(order);
    if (order.group) require_fit(order, exchange);
    log_event(Level::info, "AGENT_JOB_STARTED", "job {} ({}), attempt {}", order.id, order.kind,
              order.attempt);
    if (proto::is_backup_kind(order.kind))
        return back_up(order, {order.id, order.schedule, order.slot, order.kind == "incremental"});
    if (order.kind == "rotate") {
        rotate_keys(order, exchange);
        return std::nullopt;
    }
    if (order.kind == "verify") {
        verify_sets(order);
        return std::nullopt;
    }
    if (order.kind == "verify-full") {
        prove_newest(order, proof);
        return std::nullopt;
    }
    if (order.kind == "prune") {
        prune_sets(order);
        return std::nullopt;
    }
    const auto store = open_job_store(host_.config, host_.config.store, nullptr, stop_, host_.meter);
    deposit_escrow(host_.state, host_.state.agent().subkey, *store, &exchange, host_.clock);
    deposit_due_escrow(host_.state, *store, &exchange, host_.clock);
    return std::nullopt;
}

void OrderRunner::run(const proto::JobOrder& order, proto::Exchange& exchange) {
    proto::JobFinished report;
    report.job = order.id;
    report.attempt = order.attempt;
    try {
        report.backup = carry_out(order, exchange, report.proof);
        report.outcome = "succeeded";
    } catch (const Error& error) {
        if (stop_.stop_requested()) throw;
        report.outcome = "failed";
        report.problem = to_problem(error);
        log_failure(order, error);
    }
    try {
        exchange.ask(report);
    } catch (const Error& error) {
        if (!is_lease_lost(error.kind())) throw;
        // A backup that was made stays unreported, and goes out with the next agent.report.
        log_event(Level::warning, "AGENT_OUTCOME_NOT_TAKEN", "job {}, {}: {}", order.id, report.outcome,
                  error.text());
        return;
    }
    if (!report.backup) return;
    mark_reported(host_.state, report.backup->set);
    prove_after(report.backup->set);
}

void OrderRunner::log_failure(const proto::JobOrder& order, const Error& error) {
    const bool refused = error.kind() == ErrorKind::refused;
    log_event(Level::error, refused ? "AGENT_ORDER_REFUSED" : "AGENT_JOB_FAILED", "job {} ({}): {} {}",
              order.id, order.kind, error.text(), error.hint());
    if (!refused) return;
    host_.state.change_runs([&](RunState& runs) {
        runs.add_refusal("job " + order.id + " (" + order.kind + "): " + error.text());
    });
}

// Of a backup that no job asks for: the next report tells it.
void OrderRunner::note_failure(const std::string& what, const Error& error) {
    log_event(Level::error, "AGENT_JOB_FAILED", "{}: {} {}", what, error.text(), error.hint());
    host_.state.change_runs([&](RunState& runs) { runs.add_refusal(what + ": " + error.text()); });
}

bool OrderRunner::run_alone(const Origin& origin, bool withheld) {
    if (withheld)
        log_event(
            Level::warning, "AGENT_ORDER_WITHHELD",
            "the dispatcher is there and did not order what schedule {} asks for; making the backup alone",
            *origin.schedule);
    else
        log_event(Level::warning, "AGENT_BACKUP_ALONE",
                  "the dispatcher is away; making the backup that schedule {} asks for", *origin.schedule);
    try {
        const RunState runs = host_.state.runs();
        policy_.require_window(host_.clock.now());
        policy_.require_kind(origin.incremental ? "incremental" : "backup");
        if (runs.last_ordered) policy_.require_interval(host_.clock.now(), from_millis(*runs.last_ordered));
        prove_after(back_up({}, origin).set);
        return true;
    } catch (const Error& error) {
        if (stop_.stop_requested()) throw;
        note_failure("schedule " + *origin.schedule, error);
        return false;
    }
}

bool OrderRunner::run_for_logs() {
    log_event(Level::warning, "AGENT_BACKUP_FOR_LOGS",
              "no backup was made since the chain of logs began; making a full one");
    try {
        prove_after(back_up({}, {}).set);
        return true;
    } catch (const Error& error) {
        if (stop_.stop_requested()) throw;
        note_failure("the backup for the chain of logs", error);
        return false;
    }
}

}  // namespace strongroom::agent
