#include "agent/daemon/log_service.hpp"

#include "agent/job/low_priority.hpp"
#include "agent/logs/log_stream.hpp"

namespace strongroom::agent {
namespace {

constexpr std::chrono::seconds wish_pause{3600};

}  // namespace

LogService::LogService(const Host& host, std::stop_token stop) : host_(host) {
    if (!host_.config.log.stream) return;
    thread_ = std::jthread([this](const std::stop_token& ends) {
        try {
            at_low_priority(host_.config, [&] { LogStream(host_, ends).run(); });
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
    if (!host_.config.log.stream) return false;
    const LogState logs = host_.state.logs();
    if (!needs_full_backup(logs, host_.state.runs())) return false;
    const bool other_chain = logs.at->since != chain_;
    const auto least = other_chain ? std::chrono::seconds(host_.config.min_interval) : wish_pause;
    if (last_wish_ && now - *last_wish_ < least && now >= *last_wish_) return false;
    last_wish_ = now;
    chain_ = logs.at->since;
    return true;
}

}  // namespace strongroom::agent
