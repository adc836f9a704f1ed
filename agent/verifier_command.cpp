// `strongroom-agent verifier list | add | remove | key`: which hosts may open this one's sets, to prove them.
#include <iostream>

#include "agent/commands.hpp"
#include "agent/identity/connection.hpp"
#include "agent/job/job_store.hpp"
#include "agent/job/report.hpp"
#include "agent/verifiers/pins.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/keys.hpp"
#include "common/term/table.hpp"

namespace strongroom::agent {
namespace {

using backupset::VerifierEnvelopeResult;

void list_verifiers(const CommandLine& line, const StateDir& state) {
    const VerifierState pinned = state.verifiers();
    Json rows = Json::array();
    term::Table table({{"FINGERPRINT"}, {"NAME"}, {"ENCRYPTION KEY"}, {"PINNED SINCE"}});
    for (const auto& one : pinned.verifiers) {
        const bool usable =
            gpg::find_key(gpg::Home::use(state.verifier_home()), one.fingerprint).encryption_subkey() !=
            nullptr;
        table.add({one.fingerprint, one.name, usable ? "usable" : "NOT USABLE",
                   format_utc(from_millis(one.since))});
        rows.push_back(to_json(one));
        rows.back()["usable"] = usable;
    }
    if (line.json)
        std::cout << Json{{"verifiers", rows}}.dump() << "\n";
    else
        table.print(std::cout, "no verifying host");
}

// Tells the dispatcher whose proofs count from now on. A daemon does with its next report.
void tell_dispatcher(const CommandLine& line, const StateDir& state, const Clock& clock) {
    if (line.local) return;
    const AgentRecord agent = state.agent();
    try {
        auto exchange = connect(state, agent, clock);
        exchange.set_attempts(1);
        report_runs({line.config, state, agent, clock}, exchange, true);
    } catch (const Error& error) {
        std::cerr << "WARNING: the dispatcher does not know it yet: " << error.text()
                  << " A running daemon tells it later.\n";
    }
}

void print_problems(const VerifierEnvelopeResult& result) {
    for (const auto& one : result.problems) std::cerr << "set " << one.set << ": " << one.text << "\n";
}

Json json_of(const PinnedVerifier& pinned, const std::optional<VerifierEnvelopeResult>& result) {
    Json out = to_json(pinned);
    if (!result) return out;
    Json problems = Json::array();
    for (const auto& one : result->problems)
        problems.push_back({{"set", one.set}, {"problem", printable_line(one.text, 1000)}});
    out["envelopes"] = {{"sets", result->sets}, {"changed", result->changed}, {"problems", problems}};
    return out;
}

void add_verifier(const CommandLine& line, const StateDir& state, const Clock& clock) {
    std::optional<std::string> expected;
    if (!line.verifier.fingerprint.empty()) expected = parse_fingerprint(line.verifier.fingerprint);
    if (line.verifier.existing) require_backup_settings(line.config);
    const PinnedVerifier pinned = pin_verifier(state, line.verifier.file, expected, clock);
    const AgentRecord agent = state.agent();
    std::optional<VerifierEnvelopeResult> result;
    if (line.verifier.existing) {
        const auto store = open_job_store(line.config, line.config.store);
        // A rotation that goes on meanwhile changes the key that opens the sets' own envelopes.
        const FileLock no_rotation = state.lock_rotation();
        result =
            backupset::add_verifier_envelopes(*store, agent.server, gpg::Home::use(state.own_home()),
                                              {gpg::Home::use(state.verifier_home()), {pinned.fingerprint}});
    }
    tell_dispatcher(line, state, clock);
    if (line.json) {
        std::cout << json_of(pinned, result).dump() << "\n";
    } else {
        std::cout << group_fingerprint(pinned.fingerprint) << " (" << pinned.name
                  << ") opens new sets of this host from now on"
                  << (result ? ", and " + std::to_string(result->changed) + " of " +
                                   std::to_string(result->sets) + " sets that are there"
                             : std::string())
                  << ".\n";
        if (!line.quiet) {
            std::cout << "WHOEVER HAS THAT HOST READS THESE BACKUPS, as whoever has this one does.\n"
                         "In the configuration of that host:\n  verify-servers = [\""
                      << agent.server << " " << agent.identity << "\"]\n";
            if (!result)
                std::cout
                    << "Sets that are there, and increments on them, cannot be proven there: --existing "
                       "gives them their envelopes.\n";
        }
    }
    if (!result || result->problems.empty()) return;
    print_problems(*result);
    throw Error(ErrorKind::corrupt,
                std::to_string(result->problems.size()) + " sets got no envelope for that host",
                "Their own envelope is missing or damaged: strongroom-agent verify");
}

void remove_verifier(const CommandLine& line, const StateDir& state, const Clock& clock) {
    require_backup_settings(line.config);
    const std::string fingerprint = parse_fingerprint(line.verifier.fingerprint);
    PinnedVerifier verifier{fingerprint, "not pinned", to_millis(clock.now())};
    std::optional<Error> not_pinned;
    try {
        verifier = unpin_verifier(state, fingerprint);
        tell_dispatcher(line, state, clock);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;
        not_pinned = error;  // a backup that ran when it was unpinned may have left an envelope
    }
    VerifierEnvelopeResult result;
    try {
        const auto store = open_maintenance_store(line.config, nullptr);
        result = backupset::remove_verifier_envelopes(*store, state.agent().server, fingerprint);
    } catch (const Error& error) {
        throw Error(error.kind(),
                    "new sets get no envelope for that host any more; those that are there could not be "
                    "removed: " +
                        error.text(),
                    error.hint().empty()
                        ? "Run it again, or remove them by hand: sets/*/envelope-" + fingerprint + ".gpg"
                        : error.hint());
    }
    if (not_pinned && result.changed == 0 && result.problems.empty()) throw *not_pinned;
    if (line.json) {
        std::cout << json_of(verifier, result).dump() << "\n";
    } else {
        std::cout << group_fingerprint(fingerprint) << " (" << verifier.name
                  << ") gets no envelope of new sets any more; " << result.changed
                  << " envelopes were removed from the store.\n";
        if (!line.quiet)
            std::cout
                << "What it has opened or copied it STILL OPENS, and older versions that the store keeps.\n"
                   "If its key was stolen, write the sets anew: strongroom-agent rotate --reencrypt\n";
    }
    if (state.is_backup_running())
        std::cerr << "WARNING: the backup that runs now may have an envelope for that host yet: run this "
                     "again when it has ended.\n";
    if (result.problems.empty()) return;
    print_problems(result);
    throw Error(ErrorKind::storage,
                std::to_string(result.problems.size()) + " envelopes for that host are still in the store",
                "Remove them with credentials that may: maintenance-s3-credentials-file.");
}

void print_key(const CommandLine& line, const StateDir& state) {
    const AgentRecord agent = state.agent();
    const std::string key = gpg::export_public(gpg::Home::use(state.own_home()), agent.identity);
    if (line.json) {
        std::cout << Json{{"fingerprint", agent.identity}, {"public_key", key}}.dump() << "\n";
        return;
    }
    std::cout << key;
    if (!line.quiet)
        std::cerr << "On the host that this one shall verify for:\n  strongroom-agent verifier add FILE "
                     "--fingerprint "
                  << agent.identity << "\n";
}

}  // namespace

int verifier_command(const CommandLine& line, const Clock& clock) {
    const StateDir state(line.config.state_dir);
    state.agent();  // Error{not_found}, with the way to register
    if (line.command == "verifier list")
        list_verifiers(line, state);
    else if (line.command == "verifier add")
        add_verifier(line, state, clock);
    else if (line.command == "verifier remove")
        remove_verifier(line, state, clock);
    else
        print_key(line, state);
    return 0;
}

}  // namespace strongroom::agent
