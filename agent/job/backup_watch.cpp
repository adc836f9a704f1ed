#include "agent/job/backup_watch.hpp"

#include "agent/job/metrics_file.hpp"
#include "common/base/log.hpp"
#include "common/term/text.hpp"

namespace strongroom::agent {
namespace {

constexpr std::chrono::milliseconds turn{500};

std::string shown(std::int64_t limit) {
    return limit == 0 ? "no limit" : term::format_bytes(limit) + "/s";
}

}  // namespace

Limits read_limits(const Host& host) {
    try {
        return limits_in_force(host.config, host.state.throttle());
    } catch (const Error& error) {
        log_event(Level::warning, "AGENT_THROTTLE_UNREADABLE", "{}; the configuration's limits are in force",
                  error.text());
        return limits_in_force(host.config, {});
    }
}

BackupWatch::BackupWatch(const Host& host, BackupRates& rates, Work work)
    : host_(host),
      rates_(rates),
      work_(std::move(work)),
      started_(host.clock.now()),
      limits_{rates.reads.rate(), rates.writes.rate()},
      thread_([this](const std::stop_token& ending) { run(ending); }) {}

BackupWatch::~BackupWatch() {
    thread_.request_stop();
    thread_.join();
    host_.state.clear_progress();
    write_metrics(host_, {});
}

void BackupWatch::update(const backupset::Progress& progress) {
    {
        const std::lock_guard lock(mutex_);
        progress_ = progress;
    }
    if (!work_.on_progress) return;
    const auto now = current();
    const std::lock_guard lock(telling_);
    work_.on_progress(now);
}

// The data path counts whole segments; bytes that were read say more while a slow one is made.
backupset::Progress BackupWatch::current() const {
    const std::lock_guard lock(mutex_);
    backupset::Progress out = progress_;
    out.plain_bytes = std::max(out.plain_bytes, rates_.reads.passed());
    out.total_bytes = work_.total_bytes;
    out.rate = read_rate_;
    out.retries = work_.retries ? work_.retries() : 0;
    return out;
}

void BackupWatch::apply_limits() {
    Limits wanted;
    try {
        wanted = limits_in_force(host_.config, host_.state.throttle());
        unreadable_ = false;
    } catch (const Error& error) {
        if (!unreadable_)
            log_event(Level::warning, "AGENT_THROTTLE_UNREADABLE", "{}; the limits stay as they are",
                      error.text());
        unreadable_ = true;
        return;
    }
    if (wanted == limits_) return;
    limits_ = wanted;
    rates_.reads.set_rate(wanted.read);
    rates_.writes.set_rate(wanted.write);
    log_event(Level::info, "AGENT_THROTTLED", "read {}, write {}", shown(wanted.read), shown(wanted.write));
}

void BackupWatch::measure() {
    const auto now = steady_time().now();
    read_meter_.add(now, rates_.reads.passed());
    write_meter_.add(now, rates_.writes.passed());
    const std::lock_guard lock(mutex_);
    read_rate_ = read_meter_.per_second();
    write_rate_ = write_meter_.per_second();
}

void BackupWatch::save(const backupset::Progress& progress) {
    BackupProgress out;
    out.set = work_.set;
    out.stage = progress.stage;
    out.started = to_millis(started_);
    out.updated = to_millis(host_.clock.now());
    out.plain_bytes = progress.plain_bytes;
    out.stored_bytes = progress.stored_bytes;
    out.segments = progress.segments;
    out.total_bytes = progress.total_bytes;
    out.retries = progress.retries;
    out.read_rate = progress.rate;
    {
        const std::lock_guard lock(mutex_);
        out.write_rate = write_rate_;
    }
    out.read_limit = limits_.read;
    out.write_limit = limits_.write;
    host_.state.save(out);
    if (saved_++ % 5 == 0) write_metrics(host_, out);
}

void BackupWatch::run(const std::stop_token& ending) {
    for (int turns = 0; !ending.stop_requested(); ++turns) {
        try {
            apply_limits();
            measure();
            if (turns % 2 == 0) {
                const auto now = current();
                save(now);
                const std::lock_guard lock(telling_);
                if (work_.on_progress) work_.on_progress(now);
            }
        } catch (const std::exception& error) {
            // A stop that on_progress throws comes to update() as well; nothing here may end the process.
            log_event(Level::debug, "AGENT_WATCH_FAILED", "{}", error.what());
        }
        std::unique_lock lock(mutex_);
        ending_.wait_for(lock, ending, turn, [] { return false; });
    }
}

}  // namespace strongroom::agent
