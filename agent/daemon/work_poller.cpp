#include "agent/daemon/work_poller.hpp"

#include <algorithm>
#include <random>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "proto/poll_timing.hpp"

namespace strongroom::agent {
namespace {

using Steady = std::chrono::steady_clock;

std::chrono::milliseconds between(Steady::time_point start, Steady::time_point end) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(end - start);
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

void WorkPoller::got_work() {
    const std::lock_guard lock(shared_->mutex);
    shared_->got_work = true;
    shared_->changed.notify_all();
}

std::chrono::milliseconds WorkPoller::failing_for() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->failing_for;
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
        const auto begun = Steady::now();
        try {
            if (!exchange) exchange.emplace(connect());
            work = exchange->wait_for_work(timing.poll());
            if (!work) timing.begin_anew();
        } catch (const std::exception& error) {  // a hint less, never the end of the daemon
            log_event(Level::debug, "AGENT_POLL_FAILED", "{}", error.what());
            failed = true;
        }
        std::unique_lock lock(shared.mutex);
        if (failed) {
            if (!shared.failing_since) shared.failing_since = Steady::now();
            shared.failing_for = between(*shared.failing_since, Steady::now());
        } else if (shared.failing_since) {
            // It was over when this poll began, which may have lasted long.
            shared.outage = std::max(between(*shared.failing_since, begun), std::chrono::milliseconds(0));
            shared.failing_since.reset();
            shared.failing_for = std::chrono::milliseconds(0);
            timing.begin_anew();  // what it grew to meanwhile says nothing about work
        }
        if (work) {
            shared.work = true;
            shared.changed.notify_all();
            // Asks again only after the daemon has taken the hint and had time to fetch the work.
            shared.changed.wait(lock, [&] { return !shared.work || shared.ending; });
        }
        if (shared.ending) return;
        shared.changed.wait_for(lock, failed || work ? timing.pause() : proto::between_polls,
                                [&] { return shared.ending || shared.got_work; });
        if (shared.ending) return;
        if (std::exchange(shared.got_work, false)) timing.begin_anew();
    }
}

}  // namespace strongroom::agent
