// Looks at the database server again and again, in a thread of its own, so that a server that hangs holds
// nothing up; and decides when the dispatcher has to hear of it.
//
// A host in a group is looked at every 15 s, and tells at once what decides whether it is fit to be backed
// up, and every half hour that it still looks. Any other host tells with its first report and every six
// hours.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agent/config/agent_config.hpp"
#include "common/base/clock.hpp"
#include "proto/server_state.hpp"

namespace strongroom::agent {

class ServerWatch {
  public:
    // Both must live as long as the process: its thread may sit in a question that is not answered, so the
    // process leaves through std::_Exit.
    ServerWatch(const AgentConfig& config, const Clock& clock);
    ~ServerWatch();
    ServerWatch(const ServerWatch&) = delete;

    // The newest answer, if the dispatcher has to hear of it now. Once, at the start, waits two seconds for
    // it.
    std::optional<proto::ServerState> to_tell(UtcTime now);
    // The newest answer, whether the dispatcher has heard of it or not.
    std::optional<proto::ServerState> newest() const;
    void told(const proto::ServerState& state, UtcTime now);

  private:
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        std::optional<proto::ServerState> newest;
        bool ending = false;
    };
    static void run(Shared& shared, const AgentConfig& config, const Clock& clock);

    const AgentConfig& config_;
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
    bool waited_ = false;
    std::string told_;  // what counted in the last one
    std::optional<UtcTime> told_at_;
};

// What of a state is news for the dispatcher, as text: not each second of lag, nor each byte of space. Pure.
std::string news_of(const proto::ServerState& state);

}  // namespace strongroom::agent
