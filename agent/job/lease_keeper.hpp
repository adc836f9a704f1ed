// While a job runs: tells the dispatcher how far it is, which renews the lease, however slow a segment is;
// learns that it was cancelled; and shows the service manager that this process lives.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "common/backupset/streams.hpp"
#include "common/base/error.hpp"
#include "proto/exchange.hpp"
#include "proto/messages.hpp"

namespace strongroom::agent {

// An answer under the dispatcher's signature that a job is no longer ours; other errors may pass.
bool is_lease_lost(ErrorKind kind);

// A backup for a group whose lease could not be renewed for so long is given up: the dispatcher gives it to
// another member after an hour without a sign of life, and two must not be made for one slot. A host's own
// backup goes on however long the dispatcher is away.
inline constexpr std::chrono::minutes group_gives_up_after{45};

class LeaseKeeper {
  public:
    struct Options {
        std::optional<proto::JobOrder> order;      // nullopt: nobody to tell, only `tick`
        std::function<proto::Exchange()> connect;  // a fresh exchange for this object's own thread
        std::chrono::milliseconds most{std::chrono::seconds(10)};  // between two renewals
        std::function<void()> tick;                                // called every second; may be empty
    };

    // `stop` is requested when the job is cancelled or its lease is lost.
    LeaseKeeper(Options options, std::stop_source stop);
    // Ends its thread, after the request that is under way.
    ~LeaseKeeper();
    LeaseKeeper(const LeaseKeeper&) = delete;

    void update(const backupset::Progress& progress);  // any thread
    void set_stage(const std::string& stage);          // any thread

    // Why `stop` was requested by this object: "the job was cancelled", ...; empty if it was not.
    std::string reason() const;

  private:
    void run(const std::stop_token& ending);
    void renew(proto::Exchange& exchange);
    void end_job(std::string reason);

    Options options_;
    std::stop_source stop_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    backupset::Progress progress_{.stage = "starting"};
    bool stage_changed_ = false;
    std::string reason_;
    std::chrono::milliseconds interval_;
    std::jthread thread_;  // last: starts when all else is there
};

}  // namespace strongroom::agent
