#include "dispatcher/app/periodic.hpp"

#include "common/base/log.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr int log_every = 60;

}  // namespace

Periodic::Periodic(std::string failed_event, std::chrono::milliseconds pause, std::function<void()> work)
    : failed_event_(std::move(failed_event)),
      pause_(pause),
      work_(std::move(work)),
      thread_([this] { run(); }) {}

Periodic::~Periodic() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void Periodic::run() {
    std::unique_lock lock(mutex_);
    while (!closing_) {
        lock.unlock();
        run_once();
        lock.lock();
        wake_.wait_for(lock, pause_, [this] { return closing_; });
    }
}

void Periodic::run_once() {
    try {
        work_();
        if (failures_ > 1)
            log_event(Level::info, "DISPATCHER_PERIODIC_BACK", "{} is over after {} failures", failed_event_,
                      failures_);
        failures_ = 0;
    } catch (const std::exception& error) {
        if (failures_++ % log_every == 0) write_log(Level::error, failed_event_, error.what());
    }
}

}  // namespace strongroom::dispatcher
