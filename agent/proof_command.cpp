#include <unistd.h>

#include <iostream>

#include "agent/commands.hpp"
#include "agent/job/proof_run.hpp"
#include "common/term/progress_bar.hpp"

namespace strongroom::agent {

int proof_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    const StateDir state(line.config.state_dir);
    const AgentRecord agent = state.agent();
    require_backup_settings(line.config);
    term::ProgressBar bar(std::cerr, term::progress_style(STDERR_FILENO, line.quiet || line.json), "proving");
    const auto result =
        prove_set({line.config, state, agent, clock, nullptr}, line.set.empty() ? "latest" : line.set, stop,
                  [&](const backupset::Progress& now) { bar.update(now.plain_bytes, now.total_bytes, 0); });
    bar.finish();
    if (line.json)
        std::cout << json_of(result).dump() << "\n";
    else if (result.proven())
        std::cout << one_line(result) << "\n";
    require_proven(result);
    return 0;
}

}  // namespace strongroom::agent
