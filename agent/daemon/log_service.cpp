#include "agent/daemon/log_service.hpp"

#include "agent/job/low_priority.hpp"
#include "agent/logs/log_stream.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

constexpr std::chrono::seconds wish_pause{3600};
constexpr std::chrono::minutes tell_again{5};
constexpr std::size_t shown_text = 390;  // of the message's limit

std::string news_of(const proto::LogCoverage& coverage) {
    return (coverage.problem ? "problem " : "well ") + std::to_string(coverage.gap.value_or(0)) +
           (coverage.covered == 0 ? " nothing" : "");
}

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

std::optional<proto::LogCoverage> LogService::coverage() const {
    if (!host_.config.log.stream) return std::nullopt;
    const LogState logs = host_.state.logs();
    proto::LogCoverage out;
    if (logs.at) {
        out.since = logs.at->since;
        out.covered = logs.at->covered;
        out.file = logs.at->file;
        out.offset = logs.at->sealed;
        if (!logs.at->gtid.empty()) out.gtid = printable_line(logs.at->gtid, shown_text);
    }
    if (logs.problem) out.problem = printable_line(logs.problem->text, shown_text);
    if (logs.gap) {
        out.gap = logs.gap->time;
        out.gap_why = printable_line(logs.gap->text, shown_text);
    }
    return out;
}

bool LogService::has_news(UtcTime now) const {
    const auto coverage = this->coverage();
    if (!coverage) return false;
    return !told_at_ || now < *told_at_ || now - *told_at_ >= tell_again || news_of(*coverage) != told_;
}

void LogService::told(const proto::LogCoverage& coverage, UtcTime now) {
    told_at_ = now;
    told_ = news_of(coverage);
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
