// While a backup runs: brings new limits of `throttle` into force, measures how fast it goes, and tells all
// who want to know (progress.json, the metrics file, the job's lease, a person's terminal).
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "agent/job/backup_run.hpp"
#include "agent/job/limits.hpp"
#include "common/base/rate_limiter.hpp"
#include "common/base/rate_meter.hpp"

namespace strongroom::agent {

// The two limiters of one backup, at the rates in force when it starts.
struct BackupRates {
    explicit BackupRates(Limits limits) : reads(limits.read), writes(limits.write) {}
    RateLimiter reads;   // plain bytes from the source
    RateLimiter writes;  // bytes into the store, each attempt
};

// Limits in force; those of the configuration (and a warning) if throttle.json cannot be read.
Limits read_limits(const Host& host);

class BackupWatch {
  public:
    struct Work {
        std::string set;
        std::int64_t total_bytes = 0;           // plain bytes expected; 0: not known
        std::function<std::int64_t()> retries;  // of store operations so far
        backupset::OnProgress on_progress;      // called every second; may be empty
    };

    // Starts its thread. `host` and `rates` must outlive this.
    BackupWatch(const Host& host, BackupRates& rates, Work work);
    // Ends the thread and removes progress.json.
    ~BackupWatch();
    BackupWatch(const BackupWatch&) = delete;

    // What the data path says. Any thread; what `on_progress` throws passes through here only.
    void update(const backupset::Progress& progress);

  private:
    void run(const std::stop_token& ending);
    void apply_limits();
    void measure();
    backupset::Progress current() const;
    void save(const backupset::Progress& progress);

    const Host host_;
    BackupRates& rates_;
    const Work work_;
    const UtcTime started_;
    Limits limits_;
    bool unreadable_ = false;  // throttle.json, and it was said
    int saved_ = 0;            // how often
    RateMeter read_meter_;     // these six belong to the thread
    RateMeter write_meter_;

    mutable std::mutex mutex_;  // the rest
    backupset::Progress progress_{.stage = "starting"};
    std::int64_t read_rate_ = 0;
    std::int64_t write_rate_ = 0;
    std::mutex telling_;  // one call of on_progress at a time
    std::condition_variable_any ending_;
    std::jthread thread_;  // last: starts when all else is there
};

}  // namespace strongroom::agent
