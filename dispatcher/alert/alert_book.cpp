#include "dispatcher/alert/alert_book.hpp"

#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::size_t max_listed = 100;
constexpr std::int64_t deliveries_kept = INT64_C(7) * 24 * 3600 * 1000;

Json to_json(const Alert& alert) {
    Json out{{"id", alert.id},     {"rule", alert.rule}, {"severity", alert.severity},
             {"text", alert.text}, {"hint", alert.hint}, {"raised", format_utc(from_millis(alert.raised))}};
    if (!alert.server.empty()) out["server"] = alert.server;
    if (!alert.label.empty()) out["label"] = alert.label;
    if (alert.resolved != 0) out["resolved"] = format_utc(from_millis(alert.resolved));
    return out;
}

Alert from_finding(const Finding& finding, const std::string& key, std::int64_t now) {
    Alert out;
    out.id = random_uuid();
    out.key = key;
    out.rule = finding.rule;
    out.severity = finding.severity;
    out.server = finding.server;
    out.label = finding.label;
    out.text = finding.text;
    out.hint = finding.hint;
    out.raised = now;
    out.told = now;
    return out;
}

}  // namespace

std::string notification(const std::string& id, const std::string& event, const std::string& dispatcher,
                         const std::vector<Alert>& alerts, std::int64_t now) {
    Json listed = Json::array();
    for (const auto& alert : alerts) {
        if (listed.size() == max_listed) break;
        listed.push_back(to_json(alert));
    }
    const Json out{{"version", 1},
                   {"id", id},
                   {"event", event},
                   {"time", format_utc(from_millis(now))},
                   {"dispatcher", dispatcher},
                   {"count", alerts.size()},
                   {"alerts", std::move(listed)}};
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

AlertBook::Round AlertBook::record(const Evaluation& evaluation, std::int64_t now) {
    std::map<std::string, const Finding*> found;
    for (const auto& finding : evaluation.findings) found[finding.rule + "/" + finding.object] = &finding;
    Round out;
    store_.transact([&](Transaction& tx) {
        out = {};
        for (const auto& rule : alert_rules()) out.open_by_rule[rule] = 0;
        auto fresh = found;
        for (auto& alert : tx.open_alerts()) {
            const auto still = found.find(alert.key);
            if (still == found.end() && !evaluation.undecided.contains(alert.rule)) {
                alert.resolved = now;
                alert.told = now;
                tx.put_alert(alert);
                out.resolved.push_back(alert);
                continue;
            }
            ++out.open_by_rule[alert.rule];
            fresh.erase(alert.key);
            if (still == found.end()) continue;
            const bool worse = alert.severity != still->second->severity;
            if (!worse && now - alert.told < std::chrono::milliseconds(reminder_).count()) continue;
            alert.severity = still->second->severity;
            alert.text = still->second->text;
            alert.told = now;
            tx.put_alert(alert);
            out.reminded.push_back(alert);
        }
        for (const auto& [key, finding] : fresh) {
            out.raised.push_back(from_finding(*finding, key, now));
            tx.put_alert(out.raised.back());
            ++out.open_by_rule[finding->rule];
        }
        tell(tx, "raised", out.raised, now);
        tell(tx, "reminder", out.reminded, now);
        tell(tx, "resolved", out.resolved, now);
        tx.forget_deliveries(now - deliveries_kept);
    });
    return out;
}

void AlertBook::tell(Transaction& tx, const std::string& event, const std::vector<Alert>& alerts,
                     std::int64_t now) const {
    if (alerts.empty()) return;
    const std::string own = tx.service_value("fingerprint");  // our key may have changed since the start
    for (const auto& channel : channels_) {
        AlertDelivery delivery;
        delivery.id = random_uuid();
        delivery.event = event;
        delivery.channel = channel;
        delivery.body = notification(delivery.id, event, own.empty() ? dispatcher_ : own, alerts, now);
        delivery.created = now;
        delivery.next_try = now;
        tx.put_delivery(delivery);
    }
}

}  // namespace strongroom::dispatcher
