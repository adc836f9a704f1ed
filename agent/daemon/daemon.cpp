#include "agent/daemon/daemon.hpp"

#include <algorithm>
#include <random>

#include "agent/daemon/service_notify.hpp"
#include "agent/escrow/escrow.hpp"
#include "agent/identity/connection.hpp"
#include "agent/job/job_store.hpp"
#include "agent/job/leftovers.hpp"
#include "agent/job/report.hpp"
#include "agent/job/statement_run.hpp"
#include "agent/rotation/identity_change.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::agent {
namespace {

constexpr std::chrono::seconds look_pause{10};
constexpr std::chrono::seconds counts_as_away{30};  // of failing polls; a restart is shorter
constexpr std::chrono::milliseconds turn{2000};

}  // namespace

Daemon::Daemon(const Host& host, std::function<proto::Exchange()> connect, std::stop_token stop)
    : host_(host),
      connect_(std::move(connect)),
      stop_(std::move(stop)),
      exchange_(std::in_place, connect_()),
      orders_(host_, connect_, notify_alive, stop_),
      poller_(connect_),
      server_(host_.config, host_.clock),
      plan_(std::random_device{}()) {
    exchange_->set_attempts(2);
}

void Daemon::start() {
    if (const auto lock = host_.state.try_lock_backup()) recover_interrupted(host_, *lock);
    remove_leftovers(host_);
    if (!is_escrowed(host_.state, host_.state.agent()))
        log_event(
            Level::warning, "AGENT_ESCROW_MISSING",
            "the decryption key of server {} is not in escrow: if this host is lost, its backups cannot "
            "be opened. Run: strongroom-agent escrow",
            host_.agent.server);
    log_event(Level::info, "AGENT_STARTED", "server {}, dispatcher {}, store {}", host_.agent.server,
              host_.agent.dispatcher, host_.config.store);
    notify_ready();
}

void Daemon::run() {
    const FileLock lock = host_.state.lock_run();
    const std::stop_callback wakes(stop_, [&] { poller_.wake(); });
    start();
    logs_.emplace(host_, stop_);
    while (!stop_.stop_requested()) {
        notify_alive();
        const UtcTime now = host_.clock.now();
        if (const auto outage = poller_.take_outage()) plan_.is_back(now, *outage);
        const bool looks = !last_look_ || now - *last_look_ >= look_pause || *last_look_ > now;
        if (looks) look(now);
        if (plan_.due(now)) try_contact();
        if (stop_.stop_requested()) break;
        if (failed_ || poller_.failing_for() > counts_as_away)
            note_away(true, "its long poll is not answered");
        else
            note_away(false, {});
        if (away_ || withheld_)
            if (const auto due = due_by_schedule(); due && (away_ || due->withheld)) back_up_alone(*due);
        logs_->require_running();
        if (looks && logs_->wants_full_backup(host_.clock.now())) back_up_for_logs();
        say_status(away_ ? "waiting; the dispatcher is away" : "waiting for work");
        if (poller_.wait(turn)) plan_.has_event(host_.clock.now());
    }
    logs_.reset();
    notify_stopping();
    log_event(Level::info, "AGENT_STOPPED", "server {}", host_.agent.server);
}

void Daemon::look(UtcTime now) {
    last_look_ = now;
    const RunState runs = host_.state.runs();
    // A backup by hand that could not be told, or one whose job's end was not taken.
    if (std::ranges::any_of(runs.runs, [](const Run& run) { return !run.reported; })) plan_.has_event(now);
    const bool unheard = !runs.refusals.empty() || runs.removed || runs.has_proofs_to_tell(now);
    // A slot of its own schedules is due, and no order came: a long poll proves nothing, so it asks.
    const auto due = due_by_schedule();
    withheld_ = due && due->withheld;
    if (unheard || server_.to_tell(now) || (logs_ && logs_->has_news(now)) || escrow_missing() ||
        (due && !due->withheld))
        plan_.has_news(now);
}

void Daemon::try_contact() {
    try {
        go_on_with_identity();
        while (contact()) {
            if (stop_.stop_requested()) break;
            notify_alive();
            poller_.got_work();
        }
        go_on_with_identity();
        report();
        deposit_missing_escrow();
        failed_ = false;
        plan_.succeeded(host_.clock.now());
    } catch (const Error& error) {
        if (stop_.stop_requested()) return;
        if (error.kind() == ErrorKind::storage || error.kind() == ErrorKind::corrupt) throw;
        failed_ = true;
        note_away(true, error.text() + " " + error.hint());
        plan_.failed(host_.clock.now());
    }
}

bool Daemon::contact() {
    proto::JobNext request;
    request.version = STRONGROOM_VERSION;
    const auto reply = exchange_->ask(request);
    last_contact_ = host_.clock.now();
    auto schedules = host_.state.schedules();
    if (const auto* bad = unreadable(reply.schedules))
        log_event(
            Level::error, "AGENT_SCHEDULE_REFUSED",
            "the dispatcher's schedule {} is \"{}\", which are not five cron fields; the schedules that "
            "are known stay",
            bad->id, printable_line(bad->cron, 60));
    else
        schedules = merge(schedules, reply.schedules, *last_contact_);
    if (reply.job && reply.job->schedule && reply.job->slot)
        note_ordered(schedules, *reply.job->schedule, *reply.job->slot);
    host_.state.save(schedules);
    if (reply.escrow_fetched) tell_of_fetch(*reply.escrow_fetched);
    if (reply.statement) run_statement(host_, *reply.statement, *exchange_, stop_);
    if (!reply.job) return false;
    note_away(false, {});
    say_status("running a job: " + reply.job->kind);
    orders_.run(*reply.job, *exchange_);
    return true;
}

// Once for each: whoever reads this host's log hears of it, although the dispatcher gave the records out.
void Daemon::tell_of_fetch(const proto::EscrowFetched& fetched) {
    if (host_.state.runs().escrow_fetched.value_or(0) >= fetched.time) return;
    log_event(Level::warning, "AGENT_ESCROW_FETCHED",
              "the escrow records of server {} were given to user {} at {}; {} time(s) within 30 days",
              host_.agent.server, fetched.by, format_utc(from_millis(fetched.time)), fetched.count);
    host_.state.change_runs([&](RunState& runs) { runs.escrow_fetched = fetched.time; });
}

// What the user approved, and what a crash or a command without the dispatcher left of it. Then the
// dispatcher hears another key. What fails is tried again in ten minutes; a host that may not read its store
// waits for its owner.
void Daemon::go_on_with_identity() {
    constexpr std::chrono::minutes pause{10};
    if (!identity_change_goes_on(host_.state)) return;
    if (identity_failed_ && host_.clock.now() - *identity_failed_ < pause) return;
    say_status("changing the identity key");
    const ConnectAs connect_with = [&](const std::string& identity) {
        return connect_as(host_.state, host_.state.agent(), identity, host_.clock);
    };
    try {
        tell_identity_changes(host_.state, connect_with);
        if (identity_change_goes_on(host_.state)) {
            const auto store = open_job_store(host_.config, host_.config.store, nullptr, stop_, host_.meter);
            RotateOptions options;
            options.algorithm = host_.config.rotation_key_type;
            options.workers = host_.config.workers;
            options.stop = stop_;
            options.on_stage = [](const RotationStage&) { notify_alive(); };
            change_identity(host_.state, *store, host_.clock, options, connect_with);
        }
        identity_failed_.reset();
    } catch (const Error& error) {
        if (stop_.stop_requested()) throw;
        identity_failed_ = host_.clock.now();
        log_event(Level::error, "AGENT_IDENTITY_FAILED", "{} {}", error.text(), error.hint());
    }
    exchange_.emplace(connect_());
    exchange_->set_attempts(2);
}

void Daemon::note_away(bool away, const std::string& reason) {
    if (away == away_) return;
    away_ = away;
    if (away)
        log_event(Level::warning, "AGENT_DISPATCHER_AWAY", "{}", reason);
    else
        log_event(Level::info, "AGENT_DISPATCHER_BACK", "{}", host_.agent.dispatcher);
}

void Daemon::report() {
    const UtcTime now = host_.clock.now();
    auto state = server_.to_tell(now);
    if (!state && logs_ && logs_->has_news(now)) state = server_.newest();
    if (state && logs_) state->logs = logs_->coverage();
    report_runs(host_, *exchange_, !reported_, state);
    reported_ = true;
    if (!state) return;
    server_.told(*state, now);
    if (state->logs) logs_->told(*state->logs, now);
}

bool Daemon::escrow_missing() const {
    if (due_escrow(host_.state, true).empty()) return false;
    return std::ranges::find(host_.config.allow_kinds, "escrow") != host_.config.allow_kinds.end();
}

void Daemon::deposit_missing_escrow() {
    if (!escrow_missing()) return;
    try {
        const auto store = open_job_store(host_.config, host_.config.store, nullptr, stop_, host_.meter);
        deposit_due_escrow(host_.state, *store, &*exchange_, host_.clock);
    } catch (const Error& error) {
        log_event(Level::error, "AGENT_ESCROW_FAILED", "{} {}", error.text(), error.hint());
    }
}

std::optional<DueAlone> Daemon::due_by_schedule() const {
    return due_alone(host_.state.schedules(), host_.state.runs(), host_.clock.now(), last_contact_);
}

void Daemon::back_up_alone(const DueAlone& due) {
    if (alone_failed_ == due.origin.slot) return;
    say_status("making a scheduled backup that the dispatcher did not order");
    if (!orders_.run_alone(due.origin, due.withheld)) alone_failed_ = due.origin.slot;
    withheld_ = false;
    plan_.has_event(host_.clock.now());
}

void Daemon::back_up_for_logs() {
    say_status("making a full backup that the binary log can be replayed on");
    orders_.run_for_logs();
    plan_.has_event(host_.clock.now());
}

void Daemon::say_status(const std::string& what) {
    const bool escrowed = is_escrowed(host_.state, host_.state.agent());
    notify_status(what + (escrowed ? "" : "; WARNING: the key is not in escrow"));
}

}  // namespace strongroom::agent
