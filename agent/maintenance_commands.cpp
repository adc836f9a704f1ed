#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "agent/commands.hpp"
#include "agent/job/job_store.hpp"
#include "agent/job/verify_run.hpp"
#include "agent/maintenance/maintenance.hpp"
#include "agent/verifiers/subject.hpp"
#include "common/base/printable.hpp"
#include "common/maintenance/log_verification.hpp"
#include "common/maintenance/shown.hpp"
#include "common/term/progress_bar.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"

namespace strongroom::agent {

std::vector<std::string> chosen_subjects(const CommandLine& line, const StateDir& state) {
    auto all = subjects_of(line.config, state);
    if (all.empty())
        throw Error(ErrorKind::config,
                    "this host looks after no sets: source is \"none\", without verify-servers",
                    "`strongroom-agent verifier add` on another server's host prints the line for it.");
    if (line.server.empty()) return all;
    if (std::ranges::find(all, line.server) == all.end())
        throw Error(ErrorKind::usage,
                    "this host does not look after server " + printable_line(line.server, 80),
                    "verify-servers in its configuration names those that it verifies for.");
    return {line.server};
}

namespace {

void print_json(const VerifiedServer& server) {
    Json sets = Json::array();
    for (const auto& one : server.verdict.sets)
        sets.push_back({{"set", one.set}, {"result", one.result()}, {"problem", maintenance::one_line(one)}});
    Json out{{"server", server.server},
             {"sets", std::move(sets)},
             {"committed", server.verdict.committed},
             {"left", server.verdict.left},
             {"logs", maintenance::json_of(server.verdict.logs)},
             {"escrow", server.changed}};
    if (server.not_tried) out["error"] = printable_line(server.not_tried->text(), 1900);
    std::cout << out.dump() << "\n";
}

void print_text(const VerifiedServer& server, bool quiet) {
    if (!server.own) std::cout << "server " << server.server << "\n";
    if (server.not_tried) {
        std::cout << "could not be verified: " << printable_line(server.not_tried->text(), 1900) << "\n";
        return;
    }
    const auto& verdict = server.verdict;
    term::Table table({{"SET"}, {"READ", term::Align::right}, {"RESULT"}, {"PROBLEM"}});
    for (const auto& one : verdict.sets)
        table.add({one.set, one.manifest ? term::format_bytes(one.manifest->stored_total) : "?", one.result(),
                   maintenance::one_line(one)});
    for (const auto& one : verdict.logs.bad)
        table.add({one.set, "?", one.result(), maintenance::one_line(one)});
    table.print(std::cout, "no committed backup set");
    if (const auto text = maintenance::text_of(verdict.logs); !quiet && !text.empty())
        std::cerr << text << "\n";
    if (!quiet && verdict.left > 0)
        std::cerr << verdict.left << " more sets wait for their turn: verify-for ended this run\n";
}

}  // namespace

int verify_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    const StateDir state(line.config.state_dir);
    const AgentRecord agent = state.agent();
    require_backup_settings(line.config);
    term::ProgressBar bar(std::cerr, term::progress_style(STDERR_FILENO, line.quiet || line.json),
                          "verifying");
    const auto servers = verify_servers(
        {line.config, state, agent, clock}, chosen_subjects(line, state), stop,
        [&](const backupset::Progress& now) { bar.update(now.plain_bytes, now.total_bytes, 0); });
    bar.finish();
    for (const auto& one : servers) {
        if (line.json)
            print_json(one);
        else
            print_text(one, line.quiet);
    }
    require_verified(servers);
    return 0;
}

int prune_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    const StateDir state(line.config.state_dir);
    require_backup_settings(line.config);
    const auto store = open_maintenance_store(line.config, nullptr, stop);
    const auto result = prune_own_sets(line.config.maintenance, state, *store, clock, line.apply, stop);
    if (line.json) {
        std::cout << Json{{"sets", maintenance::to_json(result.plan)},
                          {"logs", maintenance::json_of(result.logs)},
                          {"applied", line.apply},
                          {"removed", result.removed}}
                         .dump()
                  << "\n";
        return 0;
    }
    maintenance::table_of(result.plan).print(std::cout, "no backup set");
    if (line.quiet) return 0;
    if (const auto logs = maintenance::text_of(result.logs); !logs.empty()) std::cerr << logs << "\n";
    if (const auto number = std::ranges::count(result.plan, false, &maintenance::PruneStep::verified);
        number > 0)
        std::cerr << number << " set(s) stay because they were not verified: strongroom-agent verify\n";
    if (!line.apply) std::cerr << "Nothing was changed. To do these steps: --apply\n";
    return 0;
}

}  // namespace strongroom::agent
