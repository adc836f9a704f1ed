#include "agent/stop_signal.hpp"

#include <pthread.h>

#include <ctime>

namespace strongroom::agent {

StopSignal::StopSignal() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    thread_ = std::jthread([this](const std::stop_token& ending) {
        const timespec turn{0, 200'000'000};
        while (!ending.stop_requested())
            if (sigtimedwait(&signals_, nullptr, &turn) > 0) stop_.request_stop();
    });
}

}  // namespace strongroom::agent
