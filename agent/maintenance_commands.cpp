#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "agent/commands.hpp"
#include "agent/escrow/record_check.hpp"
#include "agent/job/job_store.hpp"
#include "agent/maintenance/maintenance.hpp"
#include "common/maintenance/log_verification.hpp"
#include "common/maintenance/shown.hpp"
#include "common/term/progress_bar.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"

namespace strongroom::agent {

int verify_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    const StateDir state(line.config.state_dir);
    require_backup_settings(line.config);
    RateLimiter reads(line.config.maintenance.verify_read_limit);
    const auto store = open_maintenance_store(line.config, &reads, stop);
    term::ProgressBar bar(std::cerr, term::progress_style(STDERR_FILENO, line.quiet || line.json),
                          "verifying");
    const auto show = [&](const std::string&, const backupset::Progress& now) {
        bar.update(now.plain_bytes, now.total_bytes, 0);
    };
    const auto verdict =
        verify_own_sets(line.config.maintenance, state, *store, clock, {stop, line.config.workers, show});
    bar.finish();
    const auto changed = changed_records(state, *store);
    maintenance::Summary summary;
    summary.add(verdict);
    if (line.json) {
        Json sets = Json::array();
        for (const auto& one : verdict.sets)
            sets.push_back(
                {{"set", one.set}, {"result", one.result()}, {"problem", maintenance::one_line(one)}});
        std::cout << Json{{"sets", std::move(sets)},
                          {"committed", verdict.committed},
                          {"left", verdict.left},
                          {"logs", maintenance::json_of(verdict.logs)},
                          {"escrow", changed}}
                         .dump()
                  << "\n";
    } else {
        term::Table table({{"SET"}, {"READ", term::Align::right}, {"RESULT"}, {"PROBLEM"}});
        for (const auto& one : verdict.sets)
            table.add({one.set, one.manifest ? term::format_bytes(one.manifest->stored_total) : "?",
                       one.result(), maintenance::one_line(one)});
        for (const auto& one : verdict.logs.bad)
            table.add({one.set, "?", one.result(), maintenance::one_line(one)});
        table.print(std::cout, "no committed backup set");
        if (const auto text = maintenance::text_of(verdict.logs); !line.quiet && !text.empty())
            std::cerr << text << "\n";
        if (!line.quiet && verdict.left > 0)
            std::cerr << verdict.left << " more sets wait for their turn: verify-for ended this run\n";
    }
    summary.require_all_good();
    require_unchanged(changed);
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
