#include <systemd/sd-daemon.h>

#include <condition_variable>
#include <iostream>
#include <mutex>
#include <thread>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/gpg/keys.hpp"
#include "dispatcher/api/message_api.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/state.hpp"
#include "dispatcher/schedule/scheduler.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::chrono::seconds tick_time{1};

// Ticks until it is destroyed. A failed tick is logged and tried again: the next one finds the same work.
class SchedulerThread {
  public:
    SchedulerThread(Scheduler& scheduler, HttpServer& server, Metrics& metrics)
        : scheduler_(scheduler), server_(server), metrics_(metrics), thread_([this] { run(); }) {}
    ~SchedulerThread() {
        {
            const std::lock_guard lock(mutex_);
            closing_ = true;
        }
        wake_.notify_all();
        thread_.join();
    }
    SchedulerThread(const SchedulerThread&) = delete;

  private:
    void run() {
        std::unique_lock lock(mutex_);
        while (!closing_) {
            lock.unlock();
            try {
                const auto tick = scheduler_.tick();
                for (const auto& uuid : tick.servers_with_work) server_.wake(uuid);
                metrics_.tick(tick.created, tick.requeued, tick.given_up, std::chrono::system_clock::now());
            } catch (const std::exception& error) {
                log_event(Level::error, "DISPATCHER_SCHEDULER_FAILED", "{}", error.what());
            }
            lock.lock();
            wake_.wait_for(lock, tick_time, [this] { return closing_; });
        }
    }

    Scheduler& scheduler_;
    HttpServer& server_;
    Metrics& metrics_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool closing_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace

void serve(const ServeOptions& options) {
    const State state = open_state(options.state);
    const SystemClock clock;
    const proto::Party me{gpg::Home::use(state.home), read_own_fingerprint(state)};
    const auto store = SqliteStore::open(state.database);
    const Authenticator authenticator(me, state.peers, clock);
    Metrics metrics;
    MessageApi api(*store, authenticator, metrics, clock, options.lease);
    Scheduler scheduler(*store, clock);
    HttpServer server(api, metrics, options.http);
    {
        const SchedulerThread ticking(scheduler, server, metrics);
        const char* scheme = options.http.tls_certificate.empty() ? "http://" : "https://";
        const std::string main_address = server.listening().text();
        const std::string admin_address = server.admin_listening().text();
        if (!options.port_file.empty())
            write_file_atomic(options.port_file, main_address + "\n" + admin_address + "\n", 0644);
        std::cout << "listening on " << scheme << main_address << ", admin on http://" << admin_address
                  << std::endl;
        log_event(Level::info, "DISPATCHER_READY", "version {}, key {}, {}{}, admin {}", STRONGROOM_VERSION,
                  me.fingerprint, scheme, main_address, admin_address);
        ::sd_notify(0, "READY=1");
        server.run();
        ::sd_notify(0, "STOPPING=1");
    }
    me.home.stop_daemons();
    log_event(Level::info, "DISPATCHER_STOPPED", "drained");
}

}  // namespace strongroom::dispatcher
