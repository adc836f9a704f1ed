// What the dispatcher counts, in Prometheus' text format. Any thread. No label ever holds foreign text.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "dispatcher/store/records.hpp"

namespace strongroom::dispatcher {

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
    void waiters(int change);
    void queued_work(int change);
    void tick(std::size_t created, std::size_t requeued, std::size_t given_up,
              std::chrono::system_clock::time_point now);
    void counts(const Counts& counts);

    std::string text() const;  // the answer of /metrics

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace strongroom::dispatcher
