#include "agent/job/lease_keeper.hpp"

#include <algorithm>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"

namespace strongroom::agent {
namespace {

std::chrono::milliseconds renewal_interval(std::int64_t lease_ms, std::chrono::milliseconds most) {
    return std::clamp(std::chrono::milliseconds(lease_ms / 3), std::chrono::milliseconds(200), most);
}

}  // namespace

bool is_lease_lost(ErrorKind kind) {
    return kind == ErrorKind::refused || kind == ErrorKind::not_found || kind == ErrorKind::forbidden ||
           kind == ErrorKind::exists || kind == ErrorKind::interrupted;
}

LeaseKeeper::LeaseKeeper(Options options, std::stop_source stop)
    : options_(std::move(options)),
      stop_(std::move(stop)),
      interval_(options_.order ? renewal_interval(options_.order->lease_ms, options_.most) : options_.most),
      thread_([this](const std::stop_token& ending) { run(ending); }) {}

LeaseKeeper::~LeaseKeeper() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

void LeaseKeeper::update(const backupset::Progress& progress) {
    const std::lock_guard lock(mutex_);
    if (progress_.stage != progress.stage) stage_changed_ = true;
    progress_ = progress;
    if (stage_changed_) changed_.notify_all();
}

void LeaseKeeper::set_stage(const std::string& stage) {
    const std::lock_guard lock(mutex_);
    if (progress_.stage == stage) return;
    progress_.stage = stage;
    stage_changed_ = true;
    changed_.notify_all();
}

std::string LeaseKeeper::reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
}

void LeaseKeeper::end_job(std::string reason) {
    {
        const std::lock_guard lock(mutex_);
        if (!reason_.empty()) return;
        reason_ = std::move(reason);
    }
    stop_.request_stop();
}

void LeaseKeeper::run(const std::stop_token& ending) {
    std::optional<proto::Exchange> exchange;
    auto answered = std::chrono::steady_clock::now();
    auto next = answered + std::min(interval_, std::chrono::milliseconds(1000));
    while (!ending.stop_requested()) {
        if (options_.tick) options_.tick();
        bool due = false;
        {
            std::unique_lock lock(mutex_);
            changed_.wait_until(lock, ending,
                                std::min(next, std::chrono::steady_clock::now() + std::chrono::seconds(1)),
                                [&] { return stage_changed_; });
            due = stage_changed_ || std::chrono::steady_clock::now() >= next;
            stage_changed_ = false;
        }
        if (!due || ending.stop_requested() || !options_.order) continue;
        try {
            if (!exchange) {
                exchange.emplace(options_.connect());
                exchange->set_attempts(1);
            }
            renew(*exchange);
            answered = std::chrono::steady_clock::now();
        } catch (const Error& error) {
            if (is_lease_lost(error.kind()) && exchange) {
                end_job("the dispatcher gave the job up: " + error.text());
                return;
            }
            // A dispatcher that is away does not end a backup.
            log_event(Level::warning, "AGENT_PROGRESS_NOT_REPORTED", "{}", error.text());
        } catch (const std::exception& error) {  // in a thread of its own it would end the process
            log_event(Level::warning, "AGENT_PROGRESS_NOT_REPORTED", "{}", error.what());
        }
        next = std::chrono::steady_clock::now() + interval_;
        if (options_.order->group && next - answered > group_gives_up_after) {
            end_job("the dispatcher did not answer for " +
                    format_duration(std::chrono::milliseconds(group_gives_up_after)) +
                    ": this job of a group may go to another member");
            return;
        }
    }
}

void LeaseKeeper::renew(proto::Exchange& exchange) {
    proto::JobProgress report;
    report.job = options_.order->id;
    report.attempt = options_.order->attempt;
    {
        const std::lock_guard lock(mutex_);
        report.stage = progress_.stage;
        report.plain_bytes = progress_.plain_bytes;
        report.stored_bytes = progress_.stored_bytes;
        report.segments = progress_.segments;
        report.total_bytes = progress_.total_bytes;
        report.rate = progress_.rate;
        report.retries = progress_.retries;
    }
    const auto reply = exchange.ask(report);
    interval_ = renewal_interval(reply.lease_ms, options_.most);
    if (reply.cancel) end_job("the job was cancelled");
}

}  // namespace strongroom::agent
