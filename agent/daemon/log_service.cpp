#include "agent/daemon/log_service.hpp"

#include "agent/job/low_priority.hpp"
#include "agent/logs/log_stream.hpp"
#include "common/base/log.hpp"
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
        const auto wish = full_backup_wish(host_.config, logs, host_.state.runs(), host_.clock.now());
        out.gap_why = printable_line(logs.gap->text + (wish ? "; " + wish->text() : ""), shown_text);
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
    const auto wish = full_backup_wish(host_.config, logs, host_.state.runs(), now);
    tell_wait(wish ? *wish : FullBackupWish{});
    if (!wish || !wish->waits.empty()) return false;
    const bool other_chain = logs.at->since != chain_;
    const auto least = other_chain ? std::chrono::seconds(host_.config.min_interval) : wish_pause;
    if (last_wish_ && now - *last_wish_ < least && now >= *last_wish_) return false;
    last_wish_ = now;
    chain_ = logs.at->since;
    return true;
}

void LogService::tell_wait(const FullBackupWish& wish) {
    if (wish.waits == told_wait_) return;
    told_wait_ = wish.waits;
    if (!wish.waits.empty())
        log_event(Level::warning, "AGENT_BACKUP_FOR_LOGS_WAITS",
                  "{}; until it is made, nothing after that can be restored to a point in time", wish.text());
}

}  // namespace strongroom::agent
