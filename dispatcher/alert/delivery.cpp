#include "dispatcher/alert/delivery.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::int64_t at_once = 20;
constexpr std::chrono::hours give_up_after{24};

}  // namespace

std::chrono::milliseconds Delivery::pause_after(std::int64_t attempts) {
    const auto doublings = static_cast<unsigned>(std::clamp(attempts - 1, INT64_C(0), INT64_C(9)));
    return std::min(std::chrono::milliseconds(std::chrono::seconds(10) * (1U << doublings)),
                    std::chrono::milliseconds(std::chrono::hours(1)));
}

void Delivery::run() {
    std::vector<AlertDelivery> due;
    std::int64_t pending = 0;
    store_.read([&](Transaction& tx) {
        due = tx.due_deliveries(channel_.name(), to_millis(clock_.now()), at_once);
        pending = tx.pending_deliveries();
    });
    for (auto& delivery : due) {
        const bool delivered = attempt(delivery);
        store_.transact([&](Transaction& tx) {
            tx.put_delivery(delivery);
            pending = tx.pending_deliveries();
        });
        if (!delivered) break;
    }
    metrics_.alert_deliveries_pending(pending);
}

bool Delivery::attempt(AlertDelivery& delivery) {
    ++delivery.attempts;
    try {
        channel_.deliver(delivery.body);
        delivery.outcome = "delivered";
        delivery.error.clear();
        metrics_.alert_delivery(channel_.name(), "delivered");
        return true;
    } catch (const Error& error) {
        delivery.error = printable_line(error.text(), 500);
    }
    metrics_.alert_delivery(channel_.name(), "failed");
    const UtcTime now = clock_.now();
    if (now - from_millis(delivery.created) > give_up_after) {
        delivery.outcome = "given_up";
        metrics_.alert_delivery(channel_.name(), "given_up");
        log_event(Level::error, "DISPATCHER_ALERT_GIVEN_UP", "{} notification {} by {} after {} attempts: {}",
                  delivery.event, delivery.id, channel_.name(), delivery.attempts, delivery.error);
    } else {
        delivery.next_try = to_millis(now + pause_after(delivery.attempts));
        log_event(Level::warning, "DISPATCHER_ALERT_NOT_DELIVERED",
                  "{} notification {} by {}, attempt {}: {}", delivery.event, delivery.id, channel_.name(),
                  delivery.attempts, delivery.error);
    }
    return false;
}

}  // namespace strongroom::dispatcher
