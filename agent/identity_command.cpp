// `strongroom-agent identity show | rotate | cancel`: the key that this server is known by.
#include <iostream>

#include "agent/commands.hpp"
#include "agent/identity/connection.hpp"
#include "agent/job/job_store.hpp"
#include "agent/rotation/identity_change.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/term/table.hpp"

namespace strongroom::agent {
namespace {

Json change_json(const IdentityChangeState& change) {
    return {{"state", change.step},
            {"sequence", change.change.sequence},
            {"next", change.next},
            {"made", change.made},
            {"expires", change.expires}};
}

void show(const CommandLine& line, const StateDir& state) {
    const AgentRecord agent = state.agent();
    const KeyState keys = state.keys();
    const auto known =
        keys.identities.value_or(std::vector<KnownIdentity>{{agent.identity, agent.registered, {}}});
    const std::string told = state.dispatcher_identity();
    if (line.json) {
        Json list = Json::array();
        for (const auto& one : known) list.push_back(to_json(one));
        Json out{{"server", agent.server},
                 {"identity", agent.identity},
                 {"dispatcher_knows", told},
                 {"identities", list}};
        if (keys.identity_change) out["change"] = change_json(*keys.identity_change);
        std::cout << out.dump() << "\n";
        return;
    }
    term::Table table({{"IDENTITY KEY"}, {"IN USE SINCE"}, {"STATE"}});
    for (const auto& one : known)
        table.add({group_fingerprint(one.fingerprint), format_utc(from_millis(one.since)),
                   one.fingerprint == agent.identity ? "in use"
                                                     : "former; its signature counts for sets begun until " +
                                                           format_utc(from_millis(one.until.value_or(0)))});
    table.print(std::cout, "none");
    if (told != agent.identity)
        std::cout << "The dispatcher knows this host by " << group_fingerprint(told) << ".\n";
    if (!keys.identity_change) return;
    const auto& change = *keys.identity_change;
    term::print_fields(std::cout, {{"change", std::to_string(change.change.sequence) + ", " + change.step},
                                   {"new key", group_fingerprint(change.next)},
                                   {"made", format_utc(from_millis(change.made))},
                                   {"expires", format_utc(from_millis(change.expires))}});
}

void print_pending(const AgentRecord& agent, const IdentityChangeState& change) {
    std::cout << "A new identity key is made. It is NOT in use: its user has to approve it.\n";
    term::print_fields(std::cout, {{"server", agent.server},
                                   {"key in use", group_fingerprint(agent.identity)},
                                   {"new key", group_fingerprint(change.next)},
                                   {"approve before", format_utc(from_millis(change.expires))}});
    std::cout
        << "The user compares the new fingerprint with this screen, not with any other source, and runs:\n"
           "  strongroom server identity --server "
        << agent.server << " --approve " << change.next
        << "\nA running daemon then goes on by itself; otherwise: strongroom-agent identity rotate\n";
}

void rotate_identity(const CommandLine& line, const StateDir& state, const Clock& clock,
                     std::stop_token stop) {
    require_backup_settings(line.config);
    ConnectAs connect_with;
    if (!line.local)
        connect_with = [&](const std::string& identity) {
            return connect_as(state, state.agent(), identity, clock);
        };
    std::string taken;
    if (!line.identity.approval.empty())
        taken =
            approve_identity_change(state, read_file(line.identity.approval, max_identity_statement), clock);
    if (connect_with) tell_identity_changes(state, connect_with);
    const KeyState keys = state.keys();
    const bool goes_on = (keys.identity_change && keys.identity_change->step != "pending") ||
                         (keys.rotation && keys.rotation->resign.value_or(false));
    if (!goes_on && !taken.empty()) {
        std::cout << taken << "\n";
        return;
    }
    const auto store = open_job_store(line.config, line.config.store, nullptr, stop);
    if (!goes_on) {
        auto change = state.keys().identity_change;
        if (!change) change = begin_identity_change(state, line.identity.algorithm, clock);
        try {
            show_pending_identity(state, *store, connect_with);
        } catch (const Error& error) {
            throw Error(error.kind(),
                        "the new identity key " + group_fingerprint(change->next) +
                            " is made, but not shown to its user yet: " + error.text(),
                        error.hint() + (error.hint().empty() ? "" : " ") + "Run it again; or --local.");
        }
        if (line.json)
            std::cout << change_json(*change).dump() << "\n";
        else
            print_pending(state.agent(), *change);
        return;
    }
    RotateOptions options;
    options.algorithm = line.config.rotation_key_type;
    options.workers = line.config.workers;
    options.stop = stop;
    const RotationResult result = change_identity(state, *store, clock, options, connect_with);
    const AgentRecord agent = state.agent();
    if (line.json) {
        Json out{{"state", "changed"},
                 {"identity", agent.identity},
                 {"subkey", agent.subkey},
                 {"rewrapped", result.rewrap.rewrapped}};
        if (result.resign) out["signed"] = result.resign->signed_anew;
        std::cout << out.dump() << "\n";
        return;
    }
    std::cout << "The identity key is changed.\n";
    term::print_fields(
        std::cout,
        {{"identity key", group_fingerprint(agent.identity)},
         {"envelopes", std::to_string(result.rewrap.rewrapped) + " rewrapped"},
         {"manifests", result.resign ? std::to_string(result.resign->signed_anew) + " signed anew"
                                     : std::string("not read: older sets keep the former key's signature")},
         {"dispatcher",
          state.dispatcher_identity() == agent.identity ? "knows the new key" : "not told yet"}});
    if (!line.quiet)
        std::cerr
            << "Print new recovery sheets: the old ones lead here through the store, as long as it keeps "
               "the proofs of the change.\n";
}

}  // namespace

int identity_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    const StateDir state(line.config.state_dir);
    state.agent();  // Error{not_found}, with the way to register
    if (line.command == "identity show") {
        show(line, state);
    } else if (line.command == "identity cancel") {
        cancel_identity_change(state);
        std::cout << "The change is forgotten, and the new key deleted.\n";
    } else {
        rotate_identity(line, state, clock, stop);
    }
    return 0;
}

}  // namespace strongroom::agent
