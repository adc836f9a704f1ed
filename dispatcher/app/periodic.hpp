// Work that is done again and again on a thread of its own until this is destroyed. A run that throws is
// logged and done again at its next time; while it goes on failing, only every 60th time is logged.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace strongroom::dispatcher {

class Periodic {
  public:
    // `failed_event`: the id of the log event of a run that throws.
    Periodic(std::string failed_event, std::chrono::milliseconds pause, std::function<void()> work);
    ~Periodic();  // waits for the run that goes on
    Periodic(const Periodic&) = delete;

  private:
    void run();
    void run_once();

    const std::string failed_event_;
    const std::chrono::milliseconds pause_;
    const std::function<void()> work_;
    int failures_ = 0;  // in a row
    std::mutex mutex_;
    std::condition_variable wake_;
    bool closing_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace strongroom::dispatcher
