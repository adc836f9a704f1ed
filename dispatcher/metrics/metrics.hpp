// What the dispatcher counts, in Prometheus' text format. Any thread. No label ever holds foreign text: a
// server is named by its UUID, a user by a fingerprint.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "dispatcher/store/records.hpp"

namespace strongroom::dispatcher {

// Of one server, as its agent last said.
struct ReplicationFigures {
    std::string server;
    std::string group;                  // empty: none
    std::optional<std::int64_t> lag_s;  // behind the source that is furthest ahead
    std::int64_t log_covered = 0;       // up to when its binary log is in the store; 0: it is not streamed
    bool fit = false;                   // to be backed up for its group
};

class Metrics {
  public:
    Metrics();
    ~Metrics();

    // `type` is a name of the routes table, "unknown" otherwise; `outcome` "ok", "repeated" or the name of an
    // ErrorKind.
    void message(std::string_view type, std::string_view outcome, std::chrono::duration<double> time);
    void gate_refused();
    void opened();  // a message passed the gate and gpg was started for it
    void http_answered(int status);
    void queue_full();
    void stranger_held_up();
    void waiters(int change);
    void queued_work(int change);
    void tick(std::size_t created, std::size_t requeued, std::size_t given_up,
              std::chrono::system_clock::time_point now);
    void counts(const Counts& counts);
    void store_failed(ErrorKind kind);
    void alerts(const std::map<std::string, std::int64_t>& open_by_rule);
    void alert_delivery(std::string_view channel,
                        std::string_view outcome);  // "delivered", "failed", "given_up"
    void alert_deliveries_pending(std::int64_t number);
    void alert_round(std::chrono::system_clock::time_point now);
    void disk(std::int64_t database_bytes, std::int64_t free_bytes, std::int64_t total_bytes);
    void refusal_suppressed();
    // Of all servers that are not retired; `proof_window`: how long a proof counts, `now`: both milliseconds.
    void recovery(const std::vector<ServerFacts>& servers, std::int64_t proof_window, std::int64_t now);
    void replication(const std::vector<ReplicationFigures>& servers);
    void own_backup(std::int64_t millis);
    void ready(bool yes);  // whether the last transaction on the store came to its end

    std::string text() const;  // the answer of /metrics

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace strongroom::dispatcher
