// SIGTERM and SIGINT as a stop request. Make one early, before other threads start: they inherit the blocked
// signals, so only this object's thread takes them.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace strongroom::agent {

class StopSignal {
  public:
    StopSignal();
    StopSignal(const StopSignal&) = delete;
    std::stop_token token() const { return stop_.get_token(); }

  private:
    sigset_t signals_{};
    std::stop_source stop_;
    std::jthread thread_;
};

}  // namespace strongroom::agent
