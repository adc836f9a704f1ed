// The streaming of the binary log beside the daemon's other work, in a thread of its own.
#pragma once

#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>

#include "agent/job/backup_run.hpp"

namespace strongroom::agent {

class LogService {
  public:
    // Begins at once, if the configuration says so. What `host` refers to must outlive this. Ends with `stop`
    // or with this object, whichever is first.
    LogService(const Host& host, std::stop_token stop);

    // Throws what ended the thread: state that cannot be read or written.
    void require_running();
    // Whether a full backup should be made now for the sake of the logs; at most once an hour.
    bool wants_full_backup(UtcTime now);

  private:
    const Host host_;
    std::mutex mutex_;  // failure_
    std::exception_ptr failure_;
    std::optional<UtcTime> last_wish_;
    std::jthread thread_;
    std::optional<std::stop_callback<std::function<void()>>> ends_;
};

}  // namespace strongroom::agent
