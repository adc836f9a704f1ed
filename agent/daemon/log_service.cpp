#include "agent/daemon/log_service.hpp"

#include "agent/logs/log_stream.hpp"

namespace strongroom::agent {
namespace {

constexpr std::chrono::hours wish_pause{1};

}  // namespace

LogService::LogService(const Host& host, std::stop_token stop) : host_(host) {
    if (!host_.config.log.stream) return;
    thread_ = std::jthread([this](const std::stop_token& ends) {
        try {
            LogStream(host_, ends).run();
        } catch (...) {
            const std::lock_guard lock(mutex_);
            failure_ = std::current_exception();
        }
    });
    ends_.emplace(std::move(stop), [this] { thread_.request_stop(); });
}

void LogService::require_running() {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
}

bool LogService::wants_full_backup(UtcTime now) {
    if (!host_.config.log.stream || (last_wish_ && now - *last_wish_ < wish_pause && now >= *last_wish_))
        return false;
    if (!needs_full_backup(host_.state.logs(), host_.state.runs())) return false;
    last_wish_ = now;
    return true;
}

}  // namespace strongroom::agent
