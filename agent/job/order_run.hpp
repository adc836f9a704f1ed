// Does what a verified order of the dispatcher says, within the local policy, and reports the outcome.
#pragma once

#include <functional>
#include <stop_token>

#include "agent/job/backup_run.hpp"
#include "agent/policy/policy.hpp"
#include "proto/exchange.hpp"

namespace strongroom::agent {

class OrderRunner {
  public:
    // `connect` makes a fresh exchange; `tick` is called every second while an order runs; a request on
    // `stop` (the process shall end) stops the order without a report: the lease runs out and the dispatcher
    // orders again.
    OrderRunner(const Host& host, std::function<proto::Exchange()> connect, std::function<void()> tick,
                std::stop_token stop);

    // `order` came out of a verified reply. Never throws for a job that fails: it is reported and logged.
    // Throws Error{network} if the outcome could not be reported (a finished backup is then reported later),
    // Error{interrupted} after a request to stop.
    void run(const proto::JobOrder& order, proto::Exchange& exchange);

    // A backup that the schedule asks for while the dispatcher is away, or `withheld` by one that is there.
    // False (and logged) if it failed.
    bool run_alone(const Origin& origin, bool withheld);

    // A full backup that the chain of logs needs to be replayed on (agent/logs). False (and logged) if it
    // failed.
    bool run_for_logs();

  private:
    // Calls `work` with a LeaseKeeper and a stop token. If it throws because the job was cancelled or its
    // lease was lost, that is what is thrown.
    enum class Until { done, window_ends };
    template <class Work>
    auto under_lease(const std::optional<proto::JobOrder>& order, Work work, Until until = Until::done);
    // `proof` gets the outcome of a verify-full job, also of one that failed.
    std::optional<proto::Backup> carry_out(const proto::JobOrder& order, proto::Exchange& exchange,
                                           std::optional<proto::SetProof>& proof);
    void log_failure(const proto::JobOrder& order, const Error& error);
    void note_failure(const std::string& what, const Error& error);
    void require_allowed(const proto::JobOrder& order);
    void require_fit(const proto::JobOrder& order, proto::Exchange& exchange);
    void rotate_keys(const proto::JobOrder& order, proto::Exchange& exchange);
    void verify_sets(const proto::JobOrder& order);
    // `proof` gets the outcome of this host's own newest set, also of one that failed. The next report holds
    // it too, with those of other servers: it may tell first of the set.
    void prove_newest(const proto::JobOrder& order, std::optional<proto::SetProof>& proof);
    void prove_after(const std::string& set);
    void prune_sets(const proto::JobOrder& order);
    proto::Backup back_up(const std::optional<proto::JobOrder>& order, const Origin& origin);

    Host host_;
    Policy policy_;
    std::function<proto::Exchange()> connect_;
    std::function<void()> tick_;
    std::stop_token stop_;
};

}  // namespace strongroom::agent
