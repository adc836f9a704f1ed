#include "agent/commands.hpp"

#include <unistd.h>

#include <iostream>

#include "agent/check/check.hpp"
#include "agent/escrow/escrow.hpp"
#include "agent/identity/connection.hpp"
#include "agent/job/job_store.hpp"
#include "agent/job/report.hpp"
#include "agent/policy/backup_window.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "common/storage/object_store.hpp"
#include "common/term/progress_bar.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"

namespace strongroom::agent {
namespace {

std::string grouped(const std::vector<std::string>& fingerprints) {
    std::string out;
    for (const auto& fingerprint : fingerprints)
        out += (out.empty() ? "" : "; ") + group_fingerprint(fingerprint);
    return out;
}

std::string_view word(Verdict verdict) {
    if (verdict == Verdict::ok) return "ok";
    return verdict == Verdict::warn ? "warn" : "FAIL";
}

// The backup is made; a dispatcher that cannot hear of it now hears of it later.
bool try_to_report(const Host& host) {
    try {
        proto::Exchange exchange = connect(host.state, host.agent, host.clock);
        exchange.set_attempts(1);
        report_runs(host, exchange, false);
        return true;
    } catch (const Error& error) {
        log_event(Level::warning, "AGENT_REPORT_LATER", "the dispatcher does not know of this backup yet: {}",
                  error.text());
        return false;
    }
}

}  // namespace

int register_command(const CommandLine& line, const Clock& clock) {
    const StateDir state(line.config.state_dir, true);
    const AgentRecord agent = register_host(state, line.registration, clock);
    if (line.json) {
        std::cout << to_json(agent).dump() << "\n";
        return 0;
    }
    std::cout << "This host is registered.\n";
    term::print_fields(std::cout, {{"server", agent.server},
                                   {"identity key", group_fingerprint(agent.identity)},
                                   {"dispatcher", agent.dispatcher},
                                   {"dispatcher key", group_fingerprint(agent.dispatcher_key)},
                                   {"owner", agent.owner_name + " " + group_fingerprint(agent.owner)},
                                   {"recovery keys", grouped(agent.recovery)}});
    if (!line.quiet)
        std::cout
            << "Compare the recovery keys with their owner's (gpg --fingerprint): only they will open the "
               "backups.\nNext: strongroom-agent check, then strongroom-agent run\n";
    return 0;
}

int backup_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    const StateDir state(line.config.state_dir);
    const AgentRecord agent = state.agent();
    storage::StoreMeter meter;
    const Host host{line.config, state, agent, clock, &meter};
    const BackupWindows windows(line.config.backup_windows);
    if (!line.outside_window && !windows.contains(clock.now()))
        throw Error(ErrorKind::refused,
                    "it is " + local_time_of_day(clock.now()) + ", outside this host's backup window (" +
                        windows.text() + ")",
                    "To back up all the same: strongroom-agent backup --outside-window");
    const FileLock lock = state.lock_backup();
    const Origin origin{.job = {}, .schedule = {}, .slot = {}, .incremental = line.incremental};
    const auto style = term::progress_style(STDERR_FILENO, line.quiet || line.json);
    term::ProgressBar bar(std::cerr, style, "backing up");
    const proto::Backup backup =
        run_backup(host, origin, lock, stop, [&](const backupset::Progress& progress) {
            bar.update(progress.plain_bytes, progress.total_bytes, progress.rate);
        });
    bar.finish();
    const bool reported = try_to_report(host);
    if (line.json) {
        Json out = to_json(backup);
        out["reported"] = reported;
        std::cout << out.dump() << "\n";
    } else {
        std::cout << backup.set << "\n";
        if (!line.quiet)
            std::cerr << backup.kind << ": " << term::format_bytes(backup.plain_bytes) << " in "
                      << backup.segments << " segments, " << term::format_bytes(backup.stored_bytes)
                      << " stored in " << backup.store << "\n";
    }
    if (!is_escrowed(state, agent))
        std::cerr
            << "WARNING: the decryption key is not in escrow: if this host is lost, nobody can open this "
               "backup. Run: strongroom-agent escrow\n";
    return 0;
}

int escrow_command(const CommandLine& line, const Clock& clock) {
    const StateDir state(line.config.state_dir);
    const AgentRecord agent = state.agent();
    require_backup_settings(line.config);
    const auto store = open_job_store(line.config, line.config.store);
    std::optional<proto::Exchange> exchange;
    if (!line.local) exchange.emplace(connect(state, agent, clock));
    proto::Exchange* dispatcher = exchange ? &*exchange : nullptr;
    const Deposit escrow = deposit_escrow(state, agent.subkey, *store, dispatcher, clock);
    const auto others = deposit_due_escrow(state, *store, dispatcher, clock);
    if (line.json) {
        std::cout << to_json(escrow).dump() << "\n";
        return 0;
    }
    std::cout << "The decryption key is in escrow" << (exchange ? " at the dispatcher and" : "")
              << " in the store.\n";
    term::print_fields(std::cout, {{"decryption subkey", group_fingerprint(escrow.subkey)},
                                   {"opens with", grouped(escrow.recipients)},
                                   {"SHA-256", escrow.sha256}});
    if (!others.empty())
        std::cout << "So are " << others.size() << " older one(s), for the same recovery keys.\n";
    return 0;
}

int check_command(const CommandLine& line, const Clock& clock) {
    const StateDir state(line.config.state_dir);
    const auto findings = check_host(line.config, state, clock);
    if (line.json) {
        Json out = Json::array();
        for (const auto& finding : findings)
            out.push_back({{"result", word(finding.level)},
                           {"what", finding.what},
                           {"text", printable_line(finding.text)},
                           {"hint", printable_line(finding.hint)}});
        std::cout << Json{{"ok", !has_failure(findings)}, {"checks", out}}.dump() << "\n";
    } else {
        term::Table table({{"RESULT"}, {"CHECK"}, {"DETAIL"}});
        for (const auto& finding : findings)
            if (!line.quiet || finding.level != Verdict::ok)
                table.add({std::string(word(finding.level)), finding.what, finding.text});
        table.print(std::cout, "all is well");
        for (const auto& finding : findings)
            if (!finding.hint.empty())
                std::cout << word(finding.level) << " " << finding.what
                          << ": HINT: " << printable_line(finding.hint, 1000) << "\n";
    }
    return has_failure(findings) ? exit_code(ErrorKind::config) : 0;
}

}  // namespace strongroom::agent
