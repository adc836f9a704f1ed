#include <unistd.h>

#include <iostream>

#include "agent/commands.hpp"
#include "agent/job/verify_run.hpp"
#include "agent/verifiers/subject.hpp"
#include "common/base/error.hpp"
#include "common/term/progress_bar.hpp"

namespace strongroom::agent {

int proof_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    const StateDir state(line.config.state_dir);
    const AgentRecord agent = state.agent();
    require_backup_settings(line.config);
    const auto servers = chosen_subjects(line, state);
    if (servers.size() > 1 && !line.set.empty() && line.set != "latest")
        throw Error(ErrorKind::usage, "--set names a set of one server, and this host looks after several",
                    "Say which one: --server UUID");
    term::ProgressBar bar(std::cerr, term::progress_style(STDERR_FILENO, line.quiet || line.json), "proving");
    const auto proven = prove_servers(
        {line.config, state, agent, clock, nullptr}, servers, line.set.empty() ? "latest" : line.set, stop,
        [&](const backupset::Progress& now) { bar.update(now.plain_bytes, now.total_bytes, 0); });
    if (proven.not_tried.empty()) bar.finish();
    for (const auto& one : proven.results) {
        if (line.json)
            std::cout << json_of(one).dump() << "\n";
        else if (one.proven())
            std::cout << one_line(one) << "\n";
    }
    require_proven(proven, one_line);
    return 0;
}

}  // namespace strongroom::agent
