#include "common/base/steady_time.hpp"

namespace strongroom {

SteadyTime::Point SteadyTime::now() const {
    return std::chrono::steady_clock::now();
}

void SteadyTime::wait(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock,
                      const std::stop_token& stop, std::chrono::nanoseconds limit,
                      const std::function<bool()>& ready) {
    changed.wait_for(lock, stop, limit, ready);
}

bool SteadyTime::sleep(std::chrono::nanoseconds limit, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    if (!stop.stop_requested()) wait(never, lock, stop, limit, [] { return false; });
    return !stop.stop_requested();
}

SteadyTime& steady_time() {
    static SteadyTime time;
    return time;
}

}  // namespace strongroom
