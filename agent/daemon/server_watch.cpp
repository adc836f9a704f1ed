#include "agent/daemon/server_watch.hpp"

#include <thread>

#include "agent/server_state/server_state.hpp"
#include "common/base/log.hpp"

namespace strongroom::agent {
namespace {

constexpr std::chrono::seconds look_in_group{15};
constexpr std::chrono::minutes look_alone{10};
constexpr std::chrono::minutes tell_in_group{30};
constexpr std::chrono::hours tell_alone{6};
constexpr std::chrono::seconds patience{2};

}  // namespace

std::string news_of(const proto::ServerState& state) {
    proto::ServerState coarse = state;
    coarse.asked = 0;
    coarse.logs.reset();  // LogService tells of them
    coarse.replicas = state.replicas > 0 ? 1 : 0;
    coarse.space.clear();
    coarse.engines.clear();
    if (coarse.galera) coarse.galera->size = 0;
    for (auto& source : coarse.sources) {
        if (source.behind_s) source.behind_s = *source.behind_s > state.max_lag_s ? 1 : 0;
        source.gtid.reset();
        source.error.reset();  // its numbers change; the threads' states say that there is one
    }
    return to_json(coarse).dump();
}

ServerWatch::ServerWatch(const AgentConfig& config, const Clock& clock) : config_(config) {
    if (!has_database_server(config) && config.group.empty()) {
        waited_ = true;
        return;
    }
    std::thread([shared = shared_, &config, &clock] { run(*shared, config, clock); }).detach();
}

ServerWatch::~ServerWatch() {
    const std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
    shared_->changed.notify_all();
}

void ServerWatch::run(Shared& shared, const AgentConfig& config, const Clock& clock) {
    for (;;) {
        std::optional<proto::ServerState> fresh;
        try {
            fresh = ask_server_state(config, clock.now());
        } catch (const std::exception& error) {  // never the end of the daemon
            log_event(Level::warning, "AGENT_SERVER_NOT_ASKED", "{}", error.what());
        }
        std::unique_lock lock(shared.mutex);
        if (fresh) shared.newest = std::move(fresh);
        shared.changed.notify_all();
        const std::chrono::seconds pause = config.group.empty() ? look_alone : look_in_group;
        if (shared.changed.wait_for(lock, pause, [&] { return shared.ending; })) return;
    }
}

std::optional<proto::ServerState> ServerWatch::to_tell(UtcTime now) {
    std::unique_lock lock(shared_->mutex);
    if (!std::exchange(waited_, true))
        shared_->changed.wait_for(lock, patience, [&] { return shared_->newest.has_value(); });
    if (!shared_->newest) return std::nullopt;
    const bool grouped = !config_.group.empty();
    const std::chrono::seconds again = grouped ? std::chrono::seconds(tell_in_group) : tell_alone;
    const bool due = !told_at_ || now < *told_at_ || now - *told_at_ >= again;
    if (due || (grouped && news_of(*shared_->newest) != told_)) return shared_->newest;
    return std::nullopt;
}

std::optional<proto::ServerState> ServerWatch::newest() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->newest;
}

void ServerWatch::told(const proto::ServerState& state, UtcTime now) {
    told_ = news_of(state);
    told_at_ = now;
}

}  // namespace strongroom::agent
