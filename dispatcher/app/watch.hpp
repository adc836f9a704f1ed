// The operator's watch while the dispatcher serves: evaluates the alert rules again and again, and delivers
// notifications on threads of their own, so that a slow receiver never holds up a request.
#pragma once

#include <memory>
#include <vector>

#include "dispatcher/alert/alert_book.hpp"
#include "dispatcher/alert/delivery.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/periodic.hpp"
#include "dispatcher/app/state.hpp"

namespace strongroom::dispatcher {

class Watch {
  public:
    // All must outlive it. Begins at once.
    Watch(Store& store, Metrics& metrics, const Clock& clock, State state, const AlertOptions& options,
          const std::string& dispatcher);

  private:
    void round();

    Store& store_;
    Metrics& metrics_;
    const Clock& clock_;
    const State state_;
    const AlertLimits limits_;
    const std::int64_t started_;
    std::vector<std::unique_ptr<Channel>> channels_;
    AlertBook book_;
    std::vector<std::unique_ptr<Delivery>> deliveries_;
    std::vector<std::unique_ptr<Periodic>> threads_;  // last: they use the others
};

}  // namespace strongroom::dispatcher
