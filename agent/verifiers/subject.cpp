#include "agent/verifiers/subject.hpp"

#include <algorithm>

#include "common/backupset/identity_objects.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

VerifyConfig::Server configured(const AgentConfig& config, const std::string& server) {
    const auto known = config.verify.parsed_servers();
    const auto found = std::ranges::find(known, server, &VerifyConfig::Server::server);
    if (found == known.end())
        throw Error(ErrorKind::usage, "this host does not verify for server " + printable_line(server, 80),
                    "verify-servers in its configuration names the servers that it does.");
    return *found;
}

Identities identities_of(const StateDir& state, storage::ObjectStore& store,
                         const VerifyConfig::Server& pinned) {
    const auto approvers = state.recovery();
    ShownIdentities shown;
    try {
        shown = backupset::read_identities(store, pinned.server);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;
        throw Error(ErrorKind::not_found, store.label() + " holds nothing of it: " + error.text(),
                    "verify-store names the store that is looked into; verify-servers, which server.");
    }
    auto out = Identities::follow(
        shown, pinned.identity, [&](const std::string& fingerprint) { return approvers.pins(fingerprint); });
    for (const auto& step : out.steps())
        log_event(Level::info, "AGENT_VERIFIED_SERVER_MOVED_ON",
                  "server {} has another identity key: {} instead of {}, approved by {}", pinned.server,
                  step.statement.next, step.statement.current, step.approver);
    return out;
}

}  // namespace

std::vector<std::string> subjects_of(const AgentConfig& config, const StateDir& state) {
    std::vector<std::string> out;
    if (config.backs_up()) out.push_back(state.agent().server);
    for (const auto& one : config.verify.parsed_servers()) out.push_back(one.server);
    return out;
}

Subject own_subject(const StateDir& state, std::vector<std::string> assertions) {
    return {state.agent().server,
            true,
            state.signers(),
            gpg::Home::use(state.own_home()),
            {},
            state.verified_file(),
            std::move(assertions)};
}

Subject subject_of(const AgentConfig& config, const StateDir& state, storage::ObjectStore& store,
                   const std::string& server) {
    const AgentRecord agent = state.agent();
    if (server == agent.server) return own_subject(state, config.proof.assertions);
    const auto pinned = configured(config, server);
    const auto folder = state.path() / "verified";
    make_private_dir(folder);
    return {server,
            false,
            backupset::signers_of(identities_of(state, store, pinned)),
            gpg::Home::use(state.own_home()),
            agent.identity,
            folder / (server + ".json"),
            config.verify.assertions_of(server)};
}

std::string of_whom(const Subject& subject) {
    return subject.own ? "" : " of server " + subject.server;
}

}  // namespace strongroom::agent
