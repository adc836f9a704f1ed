#include "agent/daemon/work_poller.hpp"

#include <random>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "proto/poll_timing.hpp"

namespace strongroom::agent {
namespace {

using Steady = std::chrono::steady_clock;

std::chrono::milliseconds since(Steady::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - start);
}

}  // namespace

WorkPoller::WorkPoller(std::function<proto::Exchange()> connect) {
    std::thread([shared = shared_, connect = std::move(connect)] { run(*shared, connect); }).detach();
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

std::chrono::milliseconds WorkPoller::failing_for() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->failing_since ? since(*shared_->failing_since) : std::chrono::milliseconds(0);
}

std::optional<std::chrono::milliseconds> WorkPoller::take_outage() {
    const std::lock_guard lock(shared_->mutex);
    return std::exchange(shared_->outage, std::nullopt);
}

void WorkPoller::run(Shared& shared, const std::function<proto::Exchange()>& connect) {
    std::optional<proto::Exchange> exchange;
    proto::PollTiming timing(std::random_device{}());
    for (;;) {
        bool work = false;
        bool failed = false;
        try {
            if (!exchange) exchange.emplace(connect());
            work = exchange->wait_for_work(timing.poll());
            if (!work) timing.no_work();
        } catch (const std::exception& error) {  // a hint less, never the end of the daemon
            log_event(Level::debug, "AGENT_POLL_FAILED", "{}", error.what());
            failed = true;
        }
        std::unique_lock lock(shared.mutex);
        if (failed && !shared.failing_since) shared.failing_since = Steady::now();
        if (!failed && shared.failing_since) {
            shared.outage = since(*shared.failing_since);
            shared.failing_since.reset();
        }
        if (work) {
            shared.work = true;
            shared.changed.notify_all();
            // Asks again only after the daemon has taken the hint and had time to fetch the work.
            shared.changed.wait(lock, [&] { return !shared.work || shared.ending; });
        }
        if (shared.ending) return;
        shared.changed.wait_for(lock, failed || work ? timing.pause() : proto::between_polls,
                                [&] { return shared.ending; });
        if (shared.ending) return;
    }
}

}  // namespace strongroom::agent
