// Turns findings into alerts: each is raised once, reminded of at an interval while it stays, and resolved
// once. All of it is in the store, so a restart neither repeats nor forgets one. What is to be told goes into
// the store's queue of deliveries in the same transaction; alert/delivery.hpp sends it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "dispatcher/alert/rules.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

class AlertBook {
  public:
    // `channels`: names of the channels that are configured; `dispatcher`: our fingerprint, for the receiver.
    AlertBook(Store& store, std::string dispatcher, std::vector<std::string> channels,
              std::chrono::seconds reminder)
        : store_(store),
          dispatcher_(std::move(dispatcher)),
          channels_(std::move(channels)),
          reminder_(reminder) {}

    struct Round {
        std::vector<Alert> raised;
        std::vector<Alert> reminded;
        std::vector<Alert> resolved;
        std::map<std::string, std::int64_t> open_by_rule;  // every rule, also with 0
    };
    // Throws what the store throws; then nothing of the round happened.
    Round record(const Evaluation& evaluation, std::int64_t now);

  private:
    void tell(Transaction& tx, const std::string& event, const std::vector<Alert>& alerts,
              std::int64_t now) const;

    Store& store_;
    std::string dispatcher_;
    std::vector<std::string> channels_;
    std::chrono::seconds reminder_;
};

// The JSON of one notification: all alerts of one round with the same event, at most 100 of them listed.
std::string notification(const std::string& id, const std::string& event, const std::string& dispatcher,
                         const std::vector<Alert>& alerts, std::int64_t now);

}  // namespace strongroom::dispatcher
