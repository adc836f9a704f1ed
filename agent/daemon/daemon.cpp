#include "agent/daemon/daemon.hpp"

#include <algorithm>

#include "agent/daemon/schedule_book.hpp"
#include "agent/daemon/service_notify.hpp"
#include "agent/escrow/escrow.hpp"
#include "agent/job/job_store.hpp"
#include "agent/job/leftovers.hpp"
#include "agent/job/report.hpp"
#include "common/base/log.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::agent {
namespace {

constexpr std::chrono::seconds refresh{60};  // schedules are asked for at least this often
constexpr std::chrono::seconds retry{15};    // while the dispatcher is away
constexpr std::chrono::milliseconds turn{2000};

}  // namespace

Daemon::Daemon(const Host& host, std::function<proto::Exchange()> connect, std::stop_token stop)
    : host_(host),
      connect_(std::move(connect)),
      stop_(std::move(stop)),
      exchange_(connect_()),
      orders_(host_, connect_, notify_alive, stop_),
      poller_(connect_) {
    exchange_.set_attempts(2);
}

void Daemon::start() {
    if (const auto lock = host_.state.try_lock_backup()) recover_interrupted(host_, *lock);
    remove_leftovers(host_);
    if (!is_escrowed(host_.state, host_.agent))
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
    bool work = true;
    while (!stop_.stop_requested()) {
        notify_alive();
        const UtcTime now = host_.clock.now();
        const auto pause = away_ ? retry : refresh;
        // A clock that was set back must not silence the agent.
        if (work || !last_attempt_ || now - *last_attempt_ >= pause || *last_attempt_ > now) {
            try {
                if (contact()) continue;
                report();
                deposit_missing_escrow();
            } catch (const Error& error) {
                if (stop_.stop_requested()) break;
                if (error.kind() == ErrorKind::storage || error.kind() == ErrorKind::corrupt) throw;
                if (!away_)
                    log_event(Level::warning, "AGENT_DISPATCHER_AWAY", "{} {}", error.text(), error.hint());
                away_ = true;
            }
        }
        if (away_) back_up_alone();
        say_status(away_ ? "waiting; the dispatcher is away" : "waiting for work");
        work = poller_.wait(turn);
    }
    notify_stopping();
    log_event(Level::info, "AGENT_STOPPED", "server {}", host_.agent.server);
}

bool Daemon::contact() {
    last_attempt_ = host_.clock.now();
    proto::JobNext request;
    request.version = STRONGROOM_VERSION;
    const auto reply = exchange_.ask(request);
    last_contact_ = host_.clock.now();
    if (away_) log_event(Level::info, "AGENT_DISPATCHER_BACK", "{}", host_.agent.dispatcher);
    away_ = false;
    host_.state.save(merge(host_.state.schedules(), reply.schedules, *last_contact_));
    if (!reply.job) return false;
    say_status("running a job: " + reply.job->kind);
    orders_.run(*reply.job, exchange_);
    last_attempt_.reset();
    return true;
}

void Daemon::report() {
    report_runs(host_, exchange_, !reported_);
    reported_ = true;
}

void Daemon::deposit_missing_escrow() {
    const auto escrow = host_.state.escrow();
    if (escrow && escrow->subkey == host_.agent.subkey && escrow->at_dispatcher && escrow->in_store) return;
    if (std::ranges::find(host_.config.allow_kinds, "escrow") == host_.config.allow_kinds.end()) return;
    try {
        const auto store = open_job_store(host_.config, host_.config.store, nullptr, stop_);
        deposit_escrow(host_.state, host_.agent, *store, &exchange_, host_.clock);
    } catch (const Error& error) {
        log_event(Level::error, "AGENT_ESCROW_FAILED", "{} {}", error.text(), error.hint());
    }
}

void Daemon::back_up_alone() {
    const auto origin =
        due_alone(host_.state.schedules(), host_.state.runs(), host_.clock.now(), last_contact_);
    if (!origin || alone_failed_ == origin->slot) return;
    say_status("making a scheduled backup while the dispatcher is away");
    if (!orders_.run_alone(*origin)) alone_failed_ = origin->slot;
}

void Daemon::say_status(const std::string& what) {
    const bool escrowed = is_escrowed(host_.state, host_.agent);
    notify_status(what + (escrowed ? "" : "; WARNING: the key is not in escrow"));
}

}  // namespace strongroom::agent
