#include "dispatcher/app/watch.hpp"

#include "common/base/log.hpp"
#include "dispatcher/app/facts.hpp"
#include "dispatcher/handler/on_the_wire.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::chrono::seconds delivery_pause{2};

std::vector<std::string> names(const std::vector<std::unique_ptr<Channel>>& channels) {
    std::vector<std::string> out;
    for (const auto& channel : channels) out.push_back(channel->name());
    return out;
}

std::vector<ReplicationFigures> replication_figures(const std::vector<ServerStateReport>& reports) {
    std::vector<ReplicationFigures> out;
    for (const auto& report : reports) {
        const auto state = server_state(report);
        if (!state) continue;
        ReplicationFigures figures;
        figures.server = report.server;
        figures.group = report.group;
        for (const auto& source : state->sources)
            if (source.behind_s) figures.lag_s = std::max(figures.lag_s.value_or(0), *source.behind_s);
        if (state->logs) figures.log_covered = state->logs->covered;
        figures.fit = fitness_for_group(*state).standing != proto::Standing::unfit;
        out.push_back(std::move(figures));
    }
    return out;
}

void log_alerts(Level level, const char* event, const std::vector<Alert>& alerts) {
    for (const auto& alert : alerts)
        write_log(level, event,
                  alert.rule + (alert.server.empty() ? "" : " server " + alert.server) + ": " + alert.text);
}

}  // namespace

Watch::Watch(Store& store, Metrics& metrics, const Clock& clock, State state, const AlertOptions& options,
             const std::string& dispatcher)
    : store_(store),
      metrics_(metrics),
      clock_(clock),
      state_(std::move(state)),
      limits_(options.limits),
      started_(to_millis(clock.now())),
      channels_(open_channels(options.channels)),
      book_(store, dispatcher, names(channels_), options.reminder) {
    threads_.push_back(
        std::make_unique<Periodic>("DISPATCHER_ALERTS_FAILED", options.interval, [this] { round(); }));
    for (const auto& channel : channels_) {
        deliveries_.push_back(std::make_unique<Delivery>(store_, *channel, metrics_, clock_));
        threads_.push_back(
            std::make_unique<Periodic>("DISPATCHER_DELIVERY_FAILED", delivery_pause,
                                       [delivery = deliveries_.back().get()] { delivery->run(); }));
    }
}

void Watch::round() {
    note_key_expiries(store_);
    const Disk disk = measure_disk(state_);
    metrics_.disk(disk.database, disk.free, disk.total);
    const std::int64_t now = to_millis(clock_.now());
    const Facts facts = gather_facts(store_, disk, now, started_);
    metrics_.own_backup(facts.own_backup);
    metrics_.recovery(facts.servers, facts.proof_window, now);
    metrics_.replication(replication_figures(facts.states));
    const auto round = book_.record(evaluate(facts, limits_), now);
    log_alerts(Level::error, "DISPATCHER_ALERT_RAISED", round.raised);
    log_alerts(Level::info, "DISPATCHER_ALERT_RESOLVED", round.resolved);
    metrics_.alerts(round.open_by_rule);
    metrics_.alert_round(clock_.now());
}

}  // namespace strongroom::dispatcher
