// Sends what waits in the store's queue through one channel. A failure is tried again after 10 s, 20 s, 40 s
// and so on up to an hour, and given up a day after the notification was made: then it is logged and counted,
// and the alert itself still shows in `strongroom-dispatcher alerts` and comes again as a reminder.
//
// A notification can arrive twice (a crash between receipt and note): its "id" tells.
#pragma once

#include "common/base/clock.hpp"
#include "dispatcher/alert/channel.hpp"
#include "dispatcher/metrics/metrics.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

class Delivery {
  public:
    // All must outlive it. For one thread.
    Delivery(Store& store, Channel& channel, Metrics& metrics, const Clock& clock)
        : store_(store), channel_(channel), metrics_(metrics), clock_(clock) {}

    // Tries all that are due, oldest first; stops at the first failure, as the next would fail too. Throws
    // what the store throws.
    void run();

    static std::chrono::milliseconds pause_after(std::int64_t attempts);

  private:
    // False if it was not delivered.
    bool attempt(AlertDelivery& delivery);

    Store& store_;
    Channel& channel_;
    Metrics& metrics_;
    const Clock& clock_;
};

}  // namespace strongroom::dispatcher
