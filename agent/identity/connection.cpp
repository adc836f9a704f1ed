#include "agent/identity/connection.hpp"

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/gpg/home.hpp"
#include "proto/dispatcher_key.hpp"

namespace strongroom::agent {
namespace {

proto::KeyNews told_by_log(const StateDir& state) {
    return {
        [](const std::string& text) { log_event(Level::info, "AGENT_DISPATCHER_KEY_PINNED", "{}", text); },
        [&state](const Error& error) {
            log_event(Level::error, "AGENT_DISPATCHER_KEY_REFUSED", "{} {}", error.text(), error.hint());
            state.change_runs([&](RunState& runs) { runs.add_refusal(error.text()); });
        }};
}

}  // namespace

std::shared_ptr<proto::DispatcherPins> open_pins(const std::filesystem::path& folder) {
    return std::make_shared<proto::DispatcherPins>(folder / "keys.json", folder);
}

proto::Exchange connect(const StateDir& state, const AgentRecord& agent, const Clock& clock) {
    return connect_as(state, agent, state.dispatcher_identity(), clock);
}

proto::Exchange connect_as(const StateDir& state, const AgentRecord& agent, const std::string& identity,
                           const Clock& clock) {
    const auto pins = open_pins(state.dispatcher_keys());
    const auto require = [&](bool fits) {
        if (fits) return;
        throw Error(ErrorKind::refused,
                    "this program holds the dispatcher key " +
                        group_fingerprint(proto::compiled_in_fingerprint()) +
                        ", but this agent registered with " + group_fingerprint(agent.dispatcher_key),
                    "Install the strongroom-agent that was built for your dispatcher.");
    };
    require(pins->root() == agent.dispatcher_key);
    proto::Exchange out(agent.dispatcher, {gpg::Home::use(state.own_home()), identity}, pins,
                        {proto::Gate::Kind::bearer, state.token()}, clock, told_by_log(state));
    if (!pins->contains(proto::compiled_in_fingerprint())) {
        // A newer program, built for a key that this host has not heard of yet.
        out.follow_keys();
        require(pins->contains(proto::compiled_in_fingerprint()));
    }
    return out;
}

}  // namespace strongroom::agent
