#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <iostream>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/gpg/keys.hpp"
#include "dispatcher/api/message_api.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/periodic.hpp"
#include "dispatcher/app/state.hpp"
#include "dispatcher/app/watch.hpp"
#include "dispatcher/handler/escrow_requests.hpp"
#include "dispatcher/handler/recoverable.hpp"
#include "dispatcher/health/key_expiry.hpp"
#include "dispatcher/health/watched_store.hpp"
#include "dispatcher/schedule/scheduler.hpp"
#include "dispatcher/store/sqlite/instance_lock.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::chrono::seconds tick_time{1};
constexpr std::chrono::seconds gpg_time{30};  // for one operation: nobody types a passphrase here
constexpr std::chrono::seconds probe_time{10};
constexpr std::chrono::seconds write_down_time{30};

// Writes down that the dispatcher serves, or that it ended in order, with its entry in the audit trail. A
// crash leaves a start without a stop.
void note_life(Store& store, const Clock& clock, const char* moment, const std::string& text,
               const std::vector<std::pair<std::string, std::string>>& values) {
    const AuditEntry entry = operator_entry(clock, std::string("dispatcher.") + moment, "", text);
    AuditHead head;
    const std::string now = std::to_string(to_millis(clock.now()));
    store.transact([&](Transaction& tx) {
        if (tx.service_value("created").empty()) tx.put_service_value("created", now);
        for (const auto& [name, value] : values) tx.put_service_value(name, value);
        tx.append_audit(entry);
        head = tx.audit_head();
    });
    log_event(Level::info, "DISPATCHER_AUDIT_HEAD", "{} entries, head {}", head.seq, head.hash);
}

// Asks whether the database can be written: often while it fails, so that the recovery is seen.
class WriteProbe {
  public:
    WriteProbe(WatchedStore& store, const Clock& clock) : store_(store), clock_(clock) {}
    void operator()() {
        if (!store_.failing() && ++quiet_ < probe_time / tick_time) return;
        quiet_ = 0;
        try {
            store_.require_writable(to_millis(clock_.now()));
        } catch (const Error&) {
            // The store has logged it.
        }
    }

  private:
    WatchedStore& store_;
    const Clock& clock_;
    int quiet_ = 0;
};

// Takes what `key next`, `key switch` and `key retire` did meanwhile.
class RenewKeys {
  public:
    RenewKeys(const State& state, Store& store, Authenticator& authenticator, OwnKeys keys)
        : state_(state), store_(store), authenticator_(authenticator), keys_(std::move(keys)) {}
    void operator()() {
        std::vector<KeyChange> changes;
        store_.read([&](Transaction& tx) { changes = tx.list_key_changes(); });
        if (own_keys(changes, keys_.current) == keys_) return;
        OwnKeys now = read_own_keys(state_, store_);
        authenticator_.set_keys(now);
        keys_ = std::move(now);
        log_event(Level::info, "DISPATCHER_OWN_KEYS", "current {}, next {}, {} older", keys_.current,
                  keys_.next.empty() ? "none" : keys_.next, keys_.former.size());
    }

  private:
    const State& state_;
    Store& store_;
    Authenticator& authenticator_;
    OwnKeys keys_;
};

}  // namespace

void serve(const ServeOptions& options) {
    const State state = open_state(options.state);
    const SystemClock clock;
    const InstanceLock alone =
        InstanceLock::take(state.database);  // before the store is opened, until it is gone
    gpg::set_time_limit(gpg_time);
    gpg::remove_abandoned_homes();
    const auto database = SqliteStore::open(state.database);
    Metrics metrics;
    WatchedStore store(*database, metrics);
    const OwnKeys keys = read_own_keys(state, store);
    const proto::Party me{gpg::Home::use(state.home), keys.current};
    Authenticator authenticator(me, state.peers, clock);
    authenticator.set_keys(keys);
    MessageApi api(store, authenticator, metrics, clock, options.lease);
    Scheduler scheduler(store, clock);
    HttpServer server(api, metrics, options.http);
    const char* scheme = options.http.tls_certificate.empty() ? "http://" : "https://";
    const std::string main_address = scheme + server.listening().text();
    const std::string admin_address = "http://" + server.admin_listening().text();
    // 0 turns the alert off; what counts as recoverable is then still said by a length of time.
    const std::chrono::milliseconds proof_window = options.alerts.limits.proof_after.count() > 0
                                                       ? options.alerts.limits.proof_after
                                                       : std::chrono::hours(24 * default_proof_days);
    note_life(store, clock, "start", std::string("version ") + STRONGROOM_VERSION,
              {{"started", std::to_string(to_millis(clock.now()))},
               {"version", STRONGROOM_VERSION},
               {"pid", std::to_string(::getpid())},
               {"address", main_address},
               {"admin_address", admin_address},
               {"fingerprint", me.fingerprint},
               {proof_window_value, std::to_string(proof_window.count())},
               {fetches_of_user_value, std::to_string(options.fetches_of_user)},
               {fetches_of_server_value, std::to_string(options.fetches_of_server)}});
    const KeyExpiry own_key = key_expiry(gpg::find_key(me.home, me.fingerprint, true));
    store.transact([&](Transaction& tx) { tx.put_key_expiry(own_key); });
    store.require_writable(to_millis(clock.now()));
    {
        const Watch watch(store, metrics, clock, state, options.alerts, me.fingerprint);
        const Periodic ticking("DISPATCHER_SCHEDULER_FAILED", tick_time, [&] {
            const auto tick = scheduler.tick();
            for (const auto& uuid : tick.servers_with_work) server.wake(uuid);
            metrics.tick(tick.created, tick.requeued, tick.given_up, std::chrono::system_clock::now());
        });
        const Periodic renewing("DISPATCHER_OWN_KEYS_FAILED", tick_time,
                                RenewKeys(state, store, authenticator, keys));
        const Periodic writing_down("DISPATCHER_WRITE_DOWN_FAILED", write_down_time,
                                    [&] { api.write_down(); });
        const Periodic probing("DISPATCHER_PROBE_FAILED", tick_time, WriteProbe(store, clock));
        if (!options.port_file.empty())
            write_file_atomic(options.port_file,
                              server.listening().text() + "\n" + server.admin_listening().text() + "\n",
                              0644);
        std::cout << "listening on " << main_address << ", admin on " << admin_address << std::endl;
        log_event(Level::info, "DISPATCHER_READY", "version {}, key {}, {}, admin {}", STRONGROOM_VERSION,
                  me.fingerprint, main_address, admin_address);
        ::sd_notify(0, "READY=1");
        server.run();
        ::sd_notify(0, "STOPPING=1");
    }
    try {
        api.write_down(true);
        note_life(store, clock, "stop", "orderly", {});
    } catch (const Error& error) {
        log_event(Level::warning, "DISPATCHER_STOP_NOT_NOTED", "{}", error.text());
    }
    me.home.stop_daemons();
    log_event(Level::info, "DISPATCHER_STOPPED", "drained");
}

}  // namespace strongroom::dispatcher
