// Alerts on the command line.
#include <iostream>

#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "common/term/table.hpp"
#include "dispatcher/alert/alert_book.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/state.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::int64_t most_listed = 1000;

Json to_json(const Alert& alert) {
    const auto time = [](std::int64_t millis) {
        return millis == 0 ? Json() : Json(format_utc(from_millis(millis)));
    };
    return {{"id", alert.id},         {"rule", alert.rule},           {"severity", alert.severity},
            {"server", alert.server}, {"label", alert.label},         {"text", alert.text},
            {"hint", alert.hint},     {"raised", time(alert.raised)}, {"resolved", time(alert.resolved)}};
}

}  // namespace

void list_alerts(const AlertListOptions& options) {
    const auto store = open_store(open_state(options.state));
    std::vector<Alert> alerts;
    std::int64_t pending = 0;
    store->read([&](Transaction& tx) {
        alerts = options.all ? tx.list_alerts(most_listed) : tx.open_alerts();
        pending = tx.pending_deliveries();
    });
    if (options.json) {
        Json listed = Json::array();
        for (const auto& alert : alerts) listed.push_back(to_json(alert));
        const Json out{{"alerts", std::move(listed)}, {"deliveries_pending", pending}};
        std::cout << out.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
        return;
    }
    term::Table table({{"RAISED"}, {"SEVERITY"}, {"RULE"}, {"SERVER"}, {"RESOLVED"}, {"TEXT"}});
    for (const auto& alert : alerts)
        table.add({format_utc(from_millis(alert.raised)), alert.severity, alert.rule,
                   alert.label.empty() ? alert.server : alert.label + " " + alert.server,
                   alert.resolved == 0 ? "-" : format_utc(from_millis(alert.resolved)), alert.text});
    table.print(std::cout, "no alert is open");
    if (pending > 0) std::cout << pending << " notification(s) wait to be delivered\n";
}

void test_alerts(const AlertTestOptions& options) {
    const SystemClock clock;
    const State state = open_state(options.state);
    const auto channels = open_channels(options.channels);
    if (channels.empty())
        throw Error(ErrorKind::config, "no channel for alerts is configured",
                    "Set alert-webhook or alert-command; see docs/operator-guide.md.");
    Alert alert;
    alert.id = random_uuid();
    alert.rule = "test";
    alert.severity = "warning";
    alert.text = "this is a test of the dispatcher's alerts";
    alert.hint = "Nothing is to be done.";
    alert.raised = to_millis(clock.now());
    const std::string body =
        notification(random_uuid(), "test", read_own_fingerprint(state), {alert}, to_millis(clock.now()));
    std::optional<Error> first_failure;
    Json results = Json::array();
    for (const auto& channel : channels) {
        Json result{{"channel", channel->name()}, {"delivered", true}};
        try {
            channel->deliver(body);
        } catch (const Error& error) {
            result["delivered"] = false;
            result["error"] = error.text();
            if (!first_failure) first_failure = error;
        }
        if (!options.json)
            std::cout << channel->name() << ": "
                      << (result["delivered"] ? "delivered"
                                              : "NOT delivered: " + result["error"].get<std::string>())
                      << "\n";
        results.push_back(std::move(result));
    }
    if (options.json) std::cout << results.dump() << std::endl;
    if (first_failure) throw *first_failure;
}

}  // namespace strongroom::dispatcher
