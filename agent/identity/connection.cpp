#include "agent/identity/connection.hpp"

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/home.hpp"
#include "proto/dispatcher_key.hpp"

namespace strongroom::agent {

proto::Exchange connect(const StateDir& state, const AgentRecord& agent, const Clock& clock) {
    proto::Party dispatcher = proto::dispatcher_party(state.dispatcher_home());
    if (dispatcher.fingerprint != agent.dispatcher_key)
        throw Error(ErrorKind::refused,
                    "this program holds the dispatcher key " + group_fingerprint(dispatcher.fingerprint) +
                        ", but this agent registered with " + group_fingerprint(agent.dispatcher_key),
                    "Install the strongroom-agent that was built for your dispatcher.");
    return proto::Exchange(agent.dispatcher, {gpg::Home::use(state.own_home()), agent.identity},
                           std::move(dispatcher), {proto::Gate::Kind::bearer, state.token()}, clock);
}

}  // namespace strongroom::agent
