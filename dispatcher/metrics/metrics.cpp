#include "dispatcher/metrics/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>

namespace strongroom::dispatcher {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

namespace {

prometheus::MetricFamily server_family(const char* name, const char* help) {
    return {name, help, prometheus::MetricType::Gauge, {}};
}

prometheus::ClientMetric server_gauge(const ServerFacts& server, double value) {
    prometheus::ClientMetric out;
    out.label.push_back({"server", server.uuid});
    out.gauge.value = value;
    return out;
}

}  // namespace

struct Metrics::Parts {
    prometheus::Registry registry;

    Family<Counter>& counter(const char* name, const char* help) {
        return BuildCounter().Name(name).Help(help).Register(registry);
    }
    Gauge& gauge(const char* name, const char* help) {
        return BuildGauge().Name(name).Help(help).Register(registry).Add({});
    }

    Gauge& build_info = BuildGauge()
                            .Name("strongroom_dispatcher_build_info")
                            .Help("Always 1; the label names the version.")
                            .Register(registry)
                            .Add({{"version", STRONGROOM_VERSION}});
    Family<Counter>& messages =
        counter("strongroom_dispatcher_messages_total", "Messages handled, by type and outcome.");
    Histogram& message_time =
        BuildHistogram()
            .Name("strongroom_dispatcher_message_duration_seconds")
            .Help("Time from opening a message to its sealed reply.")
            .Register(registry)
            .Add({}, Histogram::BucketBoundaries{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});
    Counter& gate_refusals = counter("strongroom_dispatcher_gate_refusals_total",
                                     "Requests refused before any gpg process was started.")
                                 .Add({});
    Counter& opened = counter("strongroom_dispatcher_messages_opened_total",
                              "Messages that passed the gate, so that gpg was started for them.")
                          .Add({});
    Family<Counter>& answers =
        counter("strongroom_dispatcher_http_responses_total", "HTTP answers, by status.");
    Counter& queue_full = counter("strongroom_dispatcher_queue_full_total",
                                  "Requests answered with 503 because the queue of blocking work was full.")
                              .Add({});
    Counter& strangers_held_up =
        counter("strongroom_dispatcher_strangers_held_up_total",
                "Requests refused at the gate and answered late, because their address had too many.")
            .Add({});
    Gauge& waiters = gauge("strongroom_dispatcher_waiters", "Agents in a long poll.");
    Gauge& queued_work = gauge("strongroom_dispatcher_queued_work", "Blocking work that waits or runs.");
    Counter& jobs_created =
        counter("strongroom_dispatcher_scheduled_jobs_total", "Jobs made from due schedule slots.").Add({});
    Counter& jobs_requeued = counter("strongroom_dispatcher_jobs_requeued_total",
                                     "Jobs whose lease ran out and that were queued again.")
                                 .Add({});
    Counter& jobs_given_up =
        counter("strongroom_dispatcher_jobs_expired_total", "Jobs given up after their last attempt.")
            .Add({});
    Gauge& last_tick = gauge("strongroom_dispatcher_scheduler_last_tick_timestamp_seconds",
                             "When the scheduler last ran, in seconds since 1970.");
    Family<Counter>& store_failures = counter("strongroom_dispatcher_store_failures_total",
                                              "Transactions that the database refused, by kind of error.");
    Gauge& ready = gauge("strongroom_dispatcher_ready",
                         "1 while the database can be written, 0 from a failure until it works again.");
    Family<Gauge>& alerts = BuildGauge()
                                .Name("strongroom_dispatcher_alerts")
                                .Help("Alerts that are open now, by rule.")
                                .Register(registry);
    Family<Counter>& deliveries = counter("strongroom_dispatcher_alert_deliveries_total",
                                          "Attempts to deliver a notification, by channel and outcome.");
    Gauge& deliveries_pending =
        gauge("strongroom_dispatcher_alert_deliveries_pending", "Notifications that were not delivered yet.");
    Gauge& alert_round = gauge("strongroom_dispatcher_alert_last_round_timestamp_seconds",
                               "When the alert rules were last evaluated, in seconds since 1970.");
    Gauge& database_bytes =
        gauge("strongroom_dispatcher_database_bytes", "Size of the database with its write-ahead log.");
    Gauge& disk_free = gauge("strongroom_dispatcher_disk_free_bytes",
                             "Free space of the file system that the database is on.");
    Gauge& disk_total =
        gauge("strongroom_dispatcher_disk_total_bytes", "Size of the file system that the database is on.");
    Counter& suppressed =
        counter("strongroom_dispatcher_audit_suppressed_total",
                "Refusals counted instead of audited one by one: one identity made too many.")
            .Add({});
    Gauge& audit_entries = gauge("strongroom_dispatcher_audit_entries", "Entries of the audit trail.");
    Gauge& own_backup =
        gauge("strongroom_dispatcher_own_backup_timestamp_seconds",
              "When the dispatcher's own state was last backed up, in seconds since 1970; 0: never.");
    Gauge& oldest_queued =
        gauge("strongroom_dispatcher_oldest_queued_job_timestamp_seconds",
              "When the oldest queued job was made, in seconds since 1970; 0: none is queued.");
    Gauge& users = gauge("strongroom_dispatcher_users", "Users.");
    Gauge& servers = gauge("strongroom_dispatcher_servers", "Registered servers that are not retired.");
    Gauge& servers_escrowed =
        gauge("strongroom_dispatcher_servers_escrowed", "Servers whose decryption subkey is in escrow.");
    Gauge& servers_recoverable =
        gauge("strongroom_dispatcher_servers_recoverable",
              "Servers whose escrow record was shown to open, within the time that a proof counts.");
    Gauge& running_bytes = gauge("strongroom_dispatcher_running_plain_bytes",
                                 "Bytes that the running backups have read, summed over all.");
    Gauge& running_expected =
        gauge("strongroom_dispatcher_running_expected_bytes", "Bytes that they are expected to read.");
    Gauge& running_rate =
        gauge("strongroom_dispatcher_running_rate_bytes", "Bytes a second that they read now.");
    Gauge& running_retries = gauge("strongroom_dispatcher_running_store_retries",
                                   "Operations on their stores that they had to repeat.");
    Family<Gauge>& jobs = BuildGauge()
                              .Name("strongroom_dispatcher_jobs")
                              .Help("Jobs in the database, by state.")
                              .Register(registry);

    // One gauge for each server: replaced as a whole, so that a retired server's do not stay behind.
    std::mutex server_mutex;
    std::vector<prometheus::MetricFamily> server_families;
    std::vector<prometheus::MetricFamily> replication_families;
};

Metrics::Metrics() : parts_(std::make_unique<Parts>()) {
    parts_->build_info.Set(1);
    for (const auto kind : {ErrorKind::storage, ErrorKind::busy, ErrorKind::corrupt})
        parts_->store_failures.Add({{"kind", std::string(name(kind))}});
    for (const char* channel : {"webhook", "command"})
        for (const char* outcome : {"delivered", "failed", "given_up"})
            parts_->deliveries.Add({{"channel", channel}, {"outcome", outcome}});
}

Metrics::~Metrics() = default;

void Metrics::message(std::string_view type, std::string_view outcome, std::chrono::duration<double> time) {
    parts_->messages.Add({{"type", std::string(type)}, {"outcome", std::string(outcome)}}).Increment();
    parts_->message_time.Observe(time.count());
}

void Metrics::gate_refused() {
    parts_->gate_refusals.Increment();
}

void Metrics::opened() {
    parts_->opened.Increment();
}

void Metrics::http_answered(int status) {
    parts_->answers.Add({{"status", std::to_string(status)}}).Increment();
}

void Metrics::stranger_held_up() {
    parts_->strangers_held_up.Increment();
}

void Metrics::queue_full() {
    parts_->queue_full.Increment();
}

void Metrics::waiters(int change) {
    parts_->waiters.Increment(change);
}

void Metrics::queued_work(int change) {
    parts_->queued_work.Increment(change);
}

void Metrics::tick(std::size_t created, std::size_t requeued, std::size_t given_up,
                   std::chrono::system_clock::time_point now) {
    parts_->jobs_created.Increment(static_cast<double>(created));
    parts_->jobs_requeued.Increment(static_cast<double>(requeued));
    parts_->jobs_given_up.Increment(static_cast<double>(given_up));
    parts_->last_tick.Set(std::chrono::duration<double>(now.time_since_epoch()).count());
}

void Metrics::counts(const Counts& counts) {
    parts_->users.Set(static_cast<double>(counts.users));
    parts_->servers.Set(static_cast<double>(counts.servers));
    parts_->running_bytes.Set(static_cast<double>(counts.progress.plain_bytes));
    parts_->running_expected.Set(static_cast<double>(counts.progress.total_bytes));
    parts_->running_rate.Set(static_cast<double>(counts.progress.rate));
    parts_->running_retries.Set(static_cast<double>(counts.progress.retries));
    parts_->jobs.Add({{"state", "queued"}}).Set(static_cast<double>(counts.queued));
    parts_->jobs.Add({{"state", "running"}}).Set(static_cast<double>(counts.running));
    parts_->jobs.Add({{"state", "failed"}}).Set(static_cast<double>(counts.failed));
    parts_->oldest_queued.Set(static_cast<double>(counts.oldest_queued) / 1000);
    parts_->audit_entries.Set(static_cast<double>(counts.audit_entries));
}

void Metrics::store_failed(ErrorKind kind) {
    parts_->store_failures.Add({{"kind", std::string(name(kind))}}).Increment();
}

void Metrics::alerts(const std::map<std::string, std::int64_t>& open_by_rule) {
    for (const auto& [rule, number] : open_by_rule)
        parts_->alerts.Add({{"rule", rule}}).Set(static_cast<double>(number));
}

void Metrics::alert_delivery(std::string_view channel, std::string_view outcome) {
    parts_->deliveries.Add({{"channel", std::string(channel)}, {"outcome", std::string(outcome)}})
        .Increment();
}

void Metrics::alert_deliveries_pending(std::int64_t number) {
    parts_->deliveries_pending.Set(static_cast<double>(number));
}

void Metrics::alert_round(std::chrono::system_clock::time_point now) {
    parts_->alert_round.Set(std::chrono::duration<double>(now.time_since_epoch()).count());
}

void Metrics::disk(std::int64_t database_bytes, std::int64_t free_bytes, std::int64_t total_bytes) {
    parts_->database_bytes.Set(static_cast<double>(database_bytes));
    parts_->disk_free.Set(static_cast<double>(free_bytes));
    parts_->disk_total.Set(static_cast<double>(total_bytes));
}

void Metrics::refusal_suppressed() {
    parts_->suppressed.Increment();
}

void Metrics::recovery(const std::vector<ServerFacts>& servers, std::int64_t proof_window, std::int64_t now) {
    const auto recoverable = [&](const ServerFacts& server) {
        return server.proven != 0 && now - server.proven <= proof_window;
    };
    parts_->servers_escrowed.Set(static_cast<double>(
        std::ranges::count_if(servers, [](const auto& server) { return server.escrowed != 0; })));
    parts_->servers_recoverable.Set(static_cast<double>(std::ranges::count_if(servers, recoverable)));

    auto escrowed = server_family("strongroom_dispatcher_server_escrowed",
                                  "1 if the server's decryption subkey in use is in escrow.");
    auto proven = server_family("strongroom_dispatcher_server_proven_timestamp_seconds",
                                "When `by` last showed that the server's newest escrow record opens, in "
                                "seconds since 1970; 0: never.");
    auto restored =
        server_family("strongroom_dispatcher_server_restore_proven_timestamp_seconds",
                      "When a backup set of the server was last proven by restoring it, in seconds "
                      "since 1970; 0: never.");
    for (const auto& server : servers) {
        restored.metric.push_back(server_gauge(server, static_cast<double>(server.restored) / 1000));
        escrowed.metric.push_back(server_gauge(server, server.escrowed != 0 ? 1 : 0));
        proven.metric.push_back(server_gauge(server, static_cast<double>(server.proven) / 1000));
        proven.metric.back().label.push_back({"by", server.proven_by});
    }
    const std::lock_guard lock(parts_->server_mutex);
    parts_->server_families = {std::move(escrowed), std::move(proven), std::move(restored)};
}

void Metrics::replication(const std::vector<ReplicationFigures>& servers) {
    auto lag = server_family("strongroom_dispatcher_server_replication_lag_seconds",
                             "How far the server was behind its sources when its agent last said so.");
    auto fit = server_family("strongroom_dispatcher_server_fit_for_group",
                             "1 if the server is a member of `group` that may be backed up for it now.");
    auto covered =
        server_family("strongroom_dispatcher_server_log_covered_timestamp_seconds",
                      "Up to when the server's binary log was in the store when its agent last said "
                      "so, in seconds since 1970.");
    for (const auto& server : servers) {
        prometheus::ClientMetric metric;
        metric.label.push_back({"server", server.server});
        if (server.log_covered != 0) {
            metric.gauge.value = static_cast<double>(server.log_covered) / 1000;
            covered.metric.push_back(metric);
        }
        if (server.lag_s) {
            metric.gauge.value = static_cast<double>(*server.lag_s);
            lag.metric.push_back(metric);
        }
        if (server.group.empty()) continue;
        metric.label.push_back({"group", server.group});
        metric.gauge.value = server.fit ? 1 : 0;
        fit.metric.push_back(metric);
    }
    const std::lock_guard lock(parts_->server_mutex);
    parts_->replication_families = {std::move(lag), std::move(fit), std::move(covered)};
}

void Metrics::own_backup(std::int64_t millis) {
    parts_->own_backup.Set(static_cast<double>(millis) / 1000);
}

void Metrics::ready(bool yes) {
    parts_->ready.Set(yes ? 1 : 0);
}

std::string Metrics::text() const {
    const prometheus::TextSerializer serializer;
    const std::lock_guard lock(parts_->server_mutex);
    return serializer.Serialize(parts_->registry.Collect()) + serializer.Serialize(parts_->server_families) +
           serializer.Serialize(parts_->replication_families);
}

}  // namespace strongroom::dispatcher
