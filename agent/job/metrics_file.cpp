#include "agent/job/metrics_file.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/log.hpp"

namespace strongroom::agent {
namespace {

void gauge(std::string& out, const char* name, const char* help, double value) {
    out += fmt::format(
        "# HELP strongroom_agent_{0} {1}\n# TYPE strongroom_agent_{0} gauge\nstrongroom_agent_{0} {2}\n",
        name, help, value);
}

using Lines = std::vector<std::pair<std::string, double>>;  // labels and value

void counter(std::string& out, const char* name, const char* help, const Lines& lines) {
    out += fmt::format("# HELP strongroom_agent_{0} {1}\n# TYPE strongroom_agent_{0} counter\n", name, help);
    for (const auto& [labels, value] : lines)
        out += fmt::format("strongroom_agent_{}{} {}\n", name, labels, value);
}

// Counters begin at 0 with the process; all operations show from the start.
void store_counters(std::string& out, const storage::StoreFigures& figures) {
    Lines counts;
    Lines bytes;
    Lines seconds;
    Lines errors;
    for (const auto operation : storage::all_operations) {
        const auto found = figures.operations.find(operation);
        const auto of = found == figures.operations.end() ? storage::OperationFigures{} : found->second;
        const std::string label = fmt::format("operation=\"{}\"", storage::name(operation));
        counts.emplace_back("{" + label + "}", of.count);
        seconds.emplace_back("{" + label + "}", of.seconds);
        if (operation == storage::Operation::put || operation == storage::Operation::get)
            bytes.emplace_back("{" + label + "}", of.bytes);
        for (const auto& [kind, count] : of.errors)
            errors.emplace_back(fmt::format("{{{},code=\"{}\"}}", label, name(kind)), count);
    }
    counter(out, "store_operations_total", "Attempts of operations on stores.", counts);
    counter(out, "store_bytes_total", "Bytes of objects that were put and got.", bytes);
    counter(out, "store_seconds_total", "Seconds that the attempts took; parallel ones add up.", seconds);
    counter(out, "store_errors_total", "Attempts that failed, by the error's code.", errors);
    counter(out, "store_retries_total", "Attempts that repeated a failed one.",
            {{"", static_cast<double>(figures.retries)}});
}

double seconds(std::int64_t millis) {
    return static_cast<double>(millis) / 1000;
}

}  // namespace

std::string metrics_text(const RunState& runs, const std::optional<BackupProgress>& now,
                         const storage::StoreFigures& store) {
    const auto progress = now.value_or(BackupProgress{});
    const auto number = [](std::int64_t value) { return static_cast<double>(value); };
    std::string out;
    gauge(out, "backup_running", "1 while a backup runs.", now ? 1 : 0);
    gauge(out, "backup_plain_bytes", "Bytes read from the source by the backup that runs.",
          number(progress.plain_bytes));
    gauge(out, "backup_expected_bytes", "Bytes that it is expected to read; 0: not known.",
          number(progress.total_bytes));
    gauge(out, "backup_stored_bytes", "Bytes that it stored.", number(progress.stored_bytes));
    gauge(out, "backup_read_rate_bytes", "Bytes a second from the source, over the last 10 s.",
          number(progress.read_rate));
    gauge(out, "backup_write_rate_bytes", "Bytes a second into the store, over the last 10 s.",
          number(progress.write_rate));
    gauge(out, "backup_read_limit_bytes", "Limit in force; 0: none.", number(progress.read_limit));
    gauge(out, "backup_write_limit_bytes", "Limit in force; 0: none.", number(progress.write_limit));
    gauge(out, "backup_store_retries", "Store operations that it had to repeat.", number(progress.retries));
    gauge(out, "last_backup_failed", "1 if the last backup failed.", runs.last_problem ? 1 : 0);
    if (!runs.runs.empty()) {
        const auto& last = runs.runs.back().backup;
        gauge(out, "last_success_timestamp_seconds", "When the last good backup was committed.",
              seconds(last.finished));
        gauge(out, "last_success_duration_seconds", "How long it took.",
              seconds(last.finished - last.created));
        gauge(out, "last_success_plain_bytes", "Its size.", number(last.plain_bytes));
        gauge(out, "last_success_stored_bytes", "Its size in the store.", number(last.stored_bytes));
    }
    store_counters(out, store);
    return out;
}

void write_metrics(const Host& host, const std::optional<BackupProgress>& now) noexcept {
    if (host.config.metrics_file.empty()) return;
    try {
        const auto store = host.meter == nullptr ? storage::StoreFigures{} : host.meter->figures();
        replace_file(host.config.metrics_file, metrics_text(host.state.runs(), now, store), 0644);
    } catch (const std::exception& error) {
        log_event(Level::debug, "AGENT_METRICS_NOT_WRITTEN", "{}", error.what());
    }
}

}  // namespace strongroom::agent
