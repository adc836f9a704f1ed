#include "agent/check/check.hpp"

#include <unistd.h>

#include <algorithm>
#include <functional>

#include "agent/check/database_check.hpp"
#include "agent/check/verifier_check.hpp"
#include "agent/check/window_check.hpp"
#include "agent/escrow/escrow.hpp"
#include "agent/identity/connection.hpp"
#include "agent/job/report.hpp"
#include "agent/logs/full_backup_wish.hpp"
#include "agent/logs/log_reader.hpp"
#include "agent/logs/server_log.hpp"
#include "agent/policy/backup_window.hpp"
#include "agent/proof/source_figures.hpp"
#include "agent/proof/work_folder.hpp"
#include "agent/source/mysql_client.hpp"
#include "agent/verifiers/pins.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/keys.hpp"
#include "common/restore/private_server.hpp"
#include "common/storage/open/open_store.hpp"
#include "proto/dispatcher_key.hpp"

namespace strongroom::agent {
namespace {

using Findings = std::vector<Finding>;

// Runs one part; what it throws becomes a FAIL line.
void part(Findings& out, const std::string& what, const std::function<Finding()>& run) {
    try {
        Finding finding = run();
        finding.what = what;
        out.push_back(std::move(finding));
    } catch (const Error& error) {
        out.push_back({Verdict::fail, what, error.text(), error.hint()});
    }
}

Finding check_gpg() {
    SpawnOptions options;
    options.argv = {gpg::engine_path().string(), "--version"};
    const RunResult answer = run_program(options);
    if (!answer.status.ok())
        throw Error(ErrorKind::tool_missing, "gpg --version: " + answer.status.describe());
    return {Verdict::ok, {}, answer.out.substr(0, answer.out.find('\n')), {}};
}

Finding check_store(const AgentConfig& config, const std::string& server) {
    require_backup_settings(config);
    const auto store = storage::open_store(config.store, false, config.stores);
    const bool readable = store->check_writable(server.empty() ? "check/" : server + "/check/");
    return {Verdict::ok,
            {},
            store->label() + (readable ? " can be written and read" : " can be written, and not read"),
            {}};
}

Finding check_identity(const StateDir& state, const AgentRecord& agent) {
    const gpg::Key key = gpg::find_key(gpg::Home::use(state.own_home()), agent.identity, true);
    const bool there = std::ranges::any_of(key.subkeys, [&](const gpg::Subkey& one) {
        return one.fingerprint == agent.subkey && one.can_encrypt && one.usable && one.secret;
    });
    if (!key.usable || !there)
        throw Error(ErrorKind::crypto, "the identity key or its decryption subkey cannot be used");
    return {Verdict::ok, {}, "server " + agent.server + ", key " + group_fingerprint(agent.identity), {}};
}

Finding check_pins(const StateDir& state, const AgentRecord& agent) {
    const gpg::Home home = gpg::Home::use(state.recovery_home());
    std::string text;
    for (const auto& fingerprint : agent.recovery) {
        const gpg::Key key = gpg::find_key(home, fingerprint);
        if (key.encryption_subkey() == nullptr)
            throw Error(
                ErrorKind::crypto,
                "the recovery key " + group_fingerprint(fingerprint) + " has no usable encryption key",
                "It may have expired: no new escrow record can be made for it.");
        text += (text.empty() ? "" : "; ") + group_fingerprint(fingerprint);
    }
    return {Verdict::ok, {}, text, {}};
}

Finding check_escrow(const StateDir& state, const AgentRecord& agent) {
    const auto escrow = state.escrow();
    if (!is_escrowed(state, agent))
        return {Verdict::warn,
                {},
                "the decryption key was never deposited",
                "Without it nobody can open these backups after a loss of this host. Run: strongroom-agent "
                "escrow"};
    const Deposit& last = *escrow->find(agent.subkey);
    if (!last.at_dispatcher || !last.in_store)
        return {Verdict::warn,
                {},
                last.in_store ? "deposited in the store, but not at the dispatcher"
                              : "deposited at the dispatcher, but not in the store",
                "Run: strongroom-agent escrow"};
    if (const auto due = due_escrow(state, true); !due.empty())
        return {Verdict::warn,
                {},
                std::to_string(due.size()) + " subkey(s) have no record for the recovery keys pinned now",
                "Run: strongroom-agent escrow"};
    return {Verdict::ok, {}, "deposited " + format_utc(from_millis(*last.at_dispatcher)), {}};
}

Finding check_clock(std::chrono::milliseconds difference) {
    const std::string text = "the dispatcher's clock is " + format_duration(std::chrono::abs(difference)) +
                             (difference.count() < 0 ? " behind" : " ahead");
    if (std::chrono::abs(difference) < std::chrono::seconds(60)) return {Verdict::ok, {}, text, {}};
    return {Verdict::warn, {}, text, "Over 10 minutes messages are refused. Set up NTP on both hosts."};
}

Finding check_address(const std::string& dispatcher) {
    proto::require_address_allowed(dispatcher);
    std::string key = proto::version_line();
    for (auto end = key.find('\n'); end != std::string::npos; end = key.find('\n')) key.replace(end, 1, ", ");
    if (proto::dispatcher_key_is_development())
        return {Verdict::warn, {}, key, "Build with -DSTRONGROOM_DISPATCHER_KEY for anything but tests."};
    return {Verdict::ok, {}, key, {}};
}

bool may_prove(const AgentConfig& config) {
    return config.verify.any() || config.proof.after_backup || config.proof.figures ||
           std::ranges::find(config.allow_kinds, "verify-full") != config.allow_kinds.end();
}

Finding check_proof(const AgentConfig& config, const StateDir& state, const std::string& server) {
    const std::string program = restore::server_program();
    const FileLock lock = state.lock_maintenance();
    const WorkFolder folder(config.proof, state, server, 0);
    if (config.proof.figures) require_figure_privileges(config);
    return {
        Verdict::ok, {}, program + " can run in " + folder.data().parent_path().parent_path().string(), {}};
}

Finding check_logs(const AgentConfig& config, const StateDir& state, UtcTime now) {
    const std::string program = log_reader_program();
    const ServerLog server = ask_server_log(config.mysql_option_file);
    require_privileges(ask_server(config.mysql_option_file), {"REPLICATION SLAVE"}, program);
    const LogState logs = state.logs();
    if (logs.problem)
        return {Verdict::warn,
                {},
                "not stored since " + format_utc(from_millis(logs.problem->time)) + ": " + logs.problem->text,
                {}};
    if (!logs.at || logs.at->covered == 0)
        return {Verdict::warn, {}, "nothing of it is stored yet", "strongroom-agent run streams it."};
    const std::string stored = "stored up to " + format_utc(from_millis(logs.at->covered));
    if (const auto wish = full_backup_wish(config, logs, state.runs(), now))
        return {Verdict::warn, {}, stored + "; " + wish->text(), {}};
    return {Verdict::ok, {}, stored, {}};
}

void check_registered(Findings& out, const AgentConfig& config, const StateDir& state,
                      const AgentRecord& agent, const Clock& clock,
                      const std::optional<proto::ServerState>& server) {
    if (BackupWindows(config.backup_windows).any())
        part(out, "backup window", [&] { return check_windows(config, state, clock.now()); });
    part(out, "identity", [&] { return check_identity(state, agent); });
    part(out, "recovery keys", [&] { return check_pins(state, agent); });
    part(out, "escrow", [&] { return check_escrow(state, agent); });
    part(out, "dispatcher key", [&] { return check_address(agent.dispatcher); });
    if (may_prove(config))
        part(out, "proof by restoring", [&] { return check_proof(config, state, agent.server); });
    for (const auto& one : config.verify.parsed_servers())
        part(out, "server " + one.server.substr(0, 8),
             [&] { return check_verified(config, state, one.server); });
    if (const auto pinned = pinned_verifiers(state))
        part(out, "verifying hosts", [&] { return check_verifiers(*pinned); });
    if (config.log.stream) part(out, "log stream", [&] { return check_logs(config, state, clock.now()); });
    std::optional<std::chrono::milliseconds> difference;
    part(out, "dispatcher", [&]() -> Finding {
        proto::Exchange exchange = connect(state, agent, clock);
        exchange.set_attempts(1);
        report_runs({config, state, agent, clock}, exchange, true, server);
        difference = exchange.clock_difference();
        return {Verdict::ok, {}, agent.dispatcher + " answers with the right key", {}};
    });
    if (difference) part(out, "clock", [&] { return check_clock(*difference); });
    if (!config.backs_up()) return;
    part(out, "last backup", [&]() -> Finding {
        const RunState runs = state.runs();
        if (runs.last_problem)
            return {Verdict::warn, {}, "failed: " + runs.last_problem->text, runs.last_problem->hint};
        if (runs.runs.empty())
            return {Verdict::warn, {}, "there is no backup yet", "Run: strongroom-agent backup"};
        return {Verdict::ok, {}, runs.runs.back().backup.set, {}};
    });
}

}  // namespace

std::vector<Finding> check_host(const AgentConfig& config, const StateDir& state, const Clock& clock) {
    Findings out;
    part(out, "gpg", check_gpg);
    std::optional<proto::ServerState> server;
    if (config.backs_up())
        server = check_database(out, config, clock.now());
    else
        out.push_back({Verdict::ok, "backup tool", "none: this host makes no backups", {}});
    std::optional<AgentRecord> agent;
    part(out, "registration", [&]() -> Finding {
        agent = state.agent();
        return {Verdict::ok, {}, "with " + agent->dispatcher + ", owner " + agent->owner_name, {}};
    });
    part(out, "store", [&] { return check_store(config, agent ? agent->server : ""); });
    if (agent) check_registered(out, config, state, *agent, clock, server);
    return out;
}

bool has_failure(const Findings& findings) {
    return std::ranges::any_of(findings, [](const auto& finding) { return finding.level == Verdict::fail; });
}

}  // namespace strongroom::agent
