// The streaming of the binary log beside the daemon's other work, in a thread of its own.
#pragma once

#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>

#include "agent/job/backup_run.hpp"
#include "agent/logs/full_backup_wish.hpp"
#include "proto/server_state.hpp"

namespace strongroom::agent {

class LogService {
  public:
    // Begins at once, if the configuration says so. What `host` refers to must outlive this. Ends with `stop`
    // or with this object, whichever is first.
    LogService(const Host& host, std::stop_token stop);

    // Throws what ended the thread: state that cannot be read or written.
    void require_running();
    // Whether a full backup should be made now for the sake of the logs: once for each chain of them and
    // not before min-interval after the last, or an hour after one that failed. One that has to wait, for a
    // backup window say, is told once in the log.
    bool wants_full_backup(UtcTime now);

    // What the dispatcher is to hear of the logs; none: they are not streamed.
    std::optional<proto::LogCoverage> coverage() const;
    // Whether it has to hear of it now: every five minutes, and when the stream stops, goes on or breaks.
    bool has_news(UtcTime now) const;
    void told(const proto::LogCoverage& coverage, UtcTime now);

  private:
    void tell_wait(const FullBackupWish& wish);

    const Host host_;
    std::mutex mutex_;  // failure_
    std::exception_ptr failure_;
    std::optional<UtcTime> last_wish_;
    std::int64_t chain_ = 0;  // since when, of the last wish
    std::string told_wait_;   // for what the wish waits
    std::optional<UtcTime> told_at_;
    std::string told_;  // what counted in the last one
    std::jthread thread_;
    std::optional<std::stop_callback<std::function<void()>>> ends_;
};

}  // namespace strongroom::agent
