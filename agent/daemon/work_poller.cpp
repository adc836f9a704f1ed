#include "agent/daemon/work_poller.hpp"

#include <algorithm>
#include <optional>

#include "common/base/error.hpp"
#include "common/base/log.hpp"

namespace strongroom::agent {
namespace {

constexpr std::chrono::seconds poll_limit{25};
constexpr std::chrono::milliseconds first_pause{1000};
constexpr std::chrono::milliseconds longest_pause{30'000};

}  // namespace

WorkPoller::WorkPoller(std::function<proto::Exchange()> connect) {
    std::thread([shared = shared_, connect = std::move(connect)] { run(shared, connect); }).detach();
}

WorkPoller::~WorkPoller() {
    const std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
    shared_->changed.notify_all();
}

bool WorkPoller::wait(std::chrono::milliseconds limit) {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, limit, [&] { return shared_->work || shared_->woken; });
    const bool work = std::exchange(shared_->work, false);
    shared_->woken = false;
    shared_->changed.notify_all();
    return work;
}

void WorkPoller::wake() {
    const std::lock_guard lock(shared_->mutex);
    shared_->woken = true;
    shared_->changed.notify_all();
}

void WorkPoller::run(const std::shared_ptr<Shared>& shared, const std::function<proto::Exchange()>& connect) {
    std::optional<proto::Exchange> exchange;
    auto pause = first_pause;
    bool failed_before = false;
    for (;;) {
        bool work = false;
        bool failed = false;
        try {
            if (!exchange) exchange.emplace(connect());
            work = exchange->wait_for_work(poll_limit);
            // Back again after it was away: there may be much to say.
            work = work || std::exchange(failed_before, false);
            pause = first_pause;
        } catch (const std::exception& error) {  // a hint less, never the end of the daemon
            log_event(Level::debug, "AGENT_POLL_FAILED", "{}", error.what());
            failed = true;
            failed_before = true;
        }
        std::unique_lock lock(shared->mutex);
        if (work) {
            shared->work = true;
            shared->changed.notify_all();
            // Asks again only after the daemon has taken the hint and had time to fetch the work.
            shared->changed.wait(lock, [&] { return !shared->work || shared->ending; });
        }
        if (shared->ending) return;
        shared->changed.wait_for(lock, failed ? pause : std::chrono::milliseconds(work ? 500 : 20),
                                 [&] { return shared->ending; });
        if (shared->ending) return;
        if (failed) pause = std::min(pause * 2, longest_pause);
    }
}

}  // namespace strongroom::agent
