#include <algorithm>
#include <iostream>

#include "agent/commands.hpp"
#include "agent/escrow/escrow.hpp"
#include "agent/identity/connection.hpp"
#include "agent/logs/full_backup_wish.hpp"
#include "common/base/cron.hpp"
#include "common/base/ids.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"

namespace strongroom::agent {
namespace {

struct Status {
    AgentRecord agent;
    std::optional<EscrowState> escrow;
    bool escrowed = false;
    RunState runs;
    LogState logs;
    std::optional<FullBackupWish> wish;
    ScheduleState schedules;
    bool backup_running = false;
    std::optional<BackupProgress> progress;
    std::int64_t unreported = 0;
    KeyState keys;
    RecoveryState recovery;
    VerifierState verifiers;
    std::vector<std::string> due;  // subkeys without a record for the recovery keys pinned now
};

std::string shown(const BackupProgress& now) {
    std::string out = "running: " + now.stage + ", " + term::format_bytes(now.plain_bytes);
    if (now.total_bytes > 0)
        out += " of about " + term::format_bytes(now.total_bytes) + " (" +
               term::format_estimate(now.plain_bytes, now.total_bytes) + ")";
    out += ", read " + term::format_bytes(now.read_rate) + "/s, write " + term::format_bytes(now.write_rate) +
           "/s";
    if (now.total_bytes > now.plain_bytes && now.read_rate > 0)
        out += ", " + term::format_seconds((now.total_bytes - now.plain_bytes) / now.read_rate) + " left";
    if (now.retries > 0) out += ", " + std::to_string(now.retries) + " store operations repeated";
    return out;
}

std::string shown(const KeyState& keys) {
    const auto& now = keys.current();
    std::string out = group_fingerprint(now.fingerprint) + " (" + std::to_string(now.number) + ", since " +
                      format_utc(from_millis(now.since)) + ")";
    if (keys.rotation)
        out += "; a rotation is unfinished (" + keys.rotation->step + "): strongroom-agent rotate ends it";
    if (keys.reencrypt) out += "; sets are being written anew: strongroom-agent rotate --reencrypt goes on";
    return out;
}

std::string shown(const LogState& logs, const std::optional<FullBackupWish>& wish) {
    std::string out = !logs.at || logs.at->covered == 0
                          ? "nothing stored yet"
                          : "stored up to " + format_utc(from_millis(logs.at->covered)) + " (" +
                                logs.at->file + ", byte " + std::to_string(logs.at->sealed) +
                                "), without a gap since " + format_utc(from_millis(logs.at->since));
    if (logs.problem)
        out +=
            "; NOT STORED since " + format_utc(from_millis(logs.problem->time)) + ": " + logs.problem->text;
    if (wish) out += "; NOTHING TO REPLAY IT ON: " + wish->text();
    return out;
}

std::string shown(const proto::DispatcherPins& pins) {
    const auto* next = pins.next();
    return group_fingerprint(pins.current().fingerprint) +
           (next == nullptr ? "" : "; next " + group_fingerprint(next->fingerprint));
}

Status read_status(const StateDir& state, const AgentConfig& config, UtcTime now) {
    Status out;
    out.agent = state.agent();
    out.escrow = state.escrow();
    out.escrowed = is_escrowed(state, out.agent);
    out.keys = state.keys();
    out.recovery = state.recovery();
    out.verifiers = state.verifiers();
    out.due = due_escrow(state, true);
    out.runs = state.runs();
    out.logs = state.logs();
    if (config.log.stream) out.wish = full_backup_wish(config, out.logs, out.runs, now);
    out.schedules = state.schedules();
    out.backup_running = state.is_backup_running();
    out.progress = state.progress();
    out.unreported = std::ranges::count(out.runs.runs, false, &Run::reported);
    return out;
}

void print_json(const Status& status) {
    Json out;
    out["agent"] = to_json(status.agent);
    out["escrowed"] = status.escrowed;
    if (status.escrow) out["escrow"] = to_json(*status.escrow);
    out["escrow_due"] = status.due;
    out["recovery"] = to_json(status.recovery);
    out["verifiers"] = to_json(status.verifiers).at("verifiers");
    out["keys"] = to_json(status.keys);
    for (const char* proofs : {"identity_change", "identity_changes"}) out["keys"].erase(proofs);
    out["backup_running"] = status.backup_running;
    if (status.progress) out["progress"] = to_json(*status.progress);
    if (status.logs.at) out["logs"] = to_json(status.logs);
    if (status.wish)
        out["full_backup_wanted"] = {{"since", format_utc(status.wish->since)},
                                     {"waits", status.wish->waits}};
    out["unreported"] = status.unreported;
    out["schedules"] = to_json(status.schedules).at("schedules");
    out["runs"] = to_json(status.runs).at("runs");
    out["refusals"] = status.runs.refusals;
    if (status.runs.last_problem) out["last_problem"] = to_json(*status.runs.last_problem);
    std::cout << out.dump() << "\n";
}

void print_runs(const Status& status) {
    constexpr std::size_t shown = 10;
    term::Table table({{"SET"},
                       {"SOURCE"},
                       {"SIZE", term::Align::right},
                       {"STORED", term::Align::right},
                       {"WHY"},
                       {"REPORTED"}});
    const auto& runs = status.runs.runs;
    for (std::size_t i = runs.size() > shown ? runs.size() - shown : 0; i < runs.size(); ++i) {
        const auto& backup = runs[i].backup;
        table.add({backup.set, backup.source, term::format_bytes(backup.plain_bytes),
                   term::format_bytes(backup.stored_bytes),
                   backup.schedule ? "schedule" : (runs[i].job ? "job" : "by hand"),
                   runs[i].reported ? "yes" : "not yet"});
    }
    table.print(std::cout, "No backup was made yet.");
}

}  // namespace

int status_command(const CommandLine& line, const Clock& clock) {
    const StateDir state(line.config.state_dir);
    const Status status = read_status(state, line.config, clock.now());
    if (line.json) {
        print_json(status);
        return 0;
    }
    if (!status.escrowed)
        std::cout
            << "WARNING: THE DECRYPTION KEY IS NOT IN ESCROW. If this host is lost, nobody can open its "
               "backups.\n         Run: strongroom-agent escrow\n\n";
    else if (!status.due.empty())
        std::cout << "WARNING: " << status.due.size()
                  << " decryption key(s) have no escrow record for the recovery keys pinned now, both in the "
                     "store\n         and at the dispatcher. Run: strongroom-agent escrow\n\n";
    const auto& agent = status.agent;
    std::string recovery;
    for (const auto& fingerprint : agent.recovery)
        recovery += (recovery.empty() ? "" : "; ") + group_fingerprint(fingerprint);
    std::vector<std::pair<std::string, std::string>> fields{
        {"server", agent.server},
        {"identity key",
         group_fingerprint(agent.identity) +
             (status.keys.identity_change
                  ? " (a change is " + status.keys.identity_change->step + ": strongroom-agent identity show)"
                  : std::string())},
        {"decryption subkey", shown(status.keys)},
        {"dispatcher", agent.dispatcher},
        {"dispatcher key", shown(*open_pins(state.dispatcher_keys()))},
        {"owner", agent.owner_name + " " + group_fingerprint(agent.owner)},
        {"recovery keys", recovery},
        {"store", line.config.store},
        {"source", line.config.source},
        {"backup", status.progress         ? shown(*status.progress)
                   : status.backup_running ? "running now"
                                           : "not running"}};
    for (const auto& one : status.verifiers.verifiers)
        fields.emplace_back("verifying host", group_fingerprint(one.fingerprint) + " " + one.name +
                                                  " opens this host's sets, to prove them");
    for (const auto& one : line.config.verify.parsed_servers())
        fields.emplace_back("verifies for", "server " + one.server);
    if (line.config.log.stream) fields.emplace_back("binary log", shown(status.logs, status.wish));
    for (const auto& known : status.schedules.schedules) {
        const auto cron = Cron::try_parse(known.order.cron);
        fields.emplace_back("schedule", known.order.kind + " " + known.order.cron +
                                            (cron ? ", next " + format_utc(cron->next_after(clock.now()))
                                                  : std::string(", which cannot be read")));
    }
    if (status.runs.last_problem) fields.emplace_back("last problem", status.runs.last_problem->text);
    if (status.unreported > 0)
        fields.emplace_back("not yet reported", std::to_string(status.unreported) + " backups");
    term::print_fields(std::cout, fields);
    std::cout << "\n";
    print_runs(status);
    return 0;
}

}  // namespace strongroom::agent
