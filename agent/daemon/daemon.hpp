// `strongroom-agent run`: does what the dispatcher orders, one job at a time, and goes on backing up on the
// saved schedules while it is away.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "agent/daemon/contact_plan.hpp"
#include "agent/daemon/log_service.hpp"
#include "agent/daemon/schedule_book.hpp"
#include "agent/daemon/server_watch.hpp"
#include "agent/daemon/work_poller.hpp"
#include "agent/job/order_run.hpp"

namespace strongroom::agent {

class Daemon {
  public:
    // `host` and `connect` must live as long as the process (see WorkPoller).
    Daemon(const Host& host, std::function<proto::Exchange()> connect, std::stop_token stop);

    // Returns after a request to stop; throws only for what makes going on senseless (state that cannot be
    // read or written). Error{busy} if another daemon uses the same state folder.
    void run();

  private:
    void start();
    void look(UtcTime now);  // for a reason to send a message
    void try_contact();      // says all there is to say, does all there is to do
    void go_on_with_identity();
    bool contact();  // true if a job was done: there may be another
    void report();
    bool escrow_missing() const;
    void deposit_missing_escrow();  // backups without it are worth nothing after the loss of the host
    std::optional<DueAlone> due_by_schedule() const;
    void back_up_alone(const DueAlone& due);
    void tell_of_fetch(const proto::EscrowFetched& fetched);
    void note_away(bool away, const std::string& reason);
    void back_up_for_logs();
    void say_status(const std::string& what);

    Host host_;
    std::function<proto::Exchange()> connect_;
    std::stop_token stop_;
    std::optional<proto::Exchange> exchange_;
    OrderRunner orders_;
    WorkPoller poller_;
    ServerWatch server_;
    std::optional<UtcTime> last_contact_;
    std::optional<UtcTime> last_look_;
    ContactPlan plan_;
    std::optional<std::int64_t> alone_failed_;  // slot that failed without the dispatcher: not tried again
    std::optional<LogService> logs_;            // while run() runs
    bool away_ = false;                         // as the log was told
    bool withheld_ = false;                     // a due slot, by a dispatcher that is there
    bool failed_ = false;                       // the last message
    bool reported_ = false;                     // since the start
    std::optional<UtcTime> identity_failed_;    // going on with a change of the identity key
};

}  // namespace strongroom::agent
