#include <unistd.h>

#include <iostream>

#include "agent/commands.hpp"
#include "agent/job/job_store.hpp"
#include "agent/job/low_priority.hpp"
#include "agent/proof/full_proof.hpp"
#include "common/term/progress_bar.hpp"

namespace strongroom::agent {

int proof_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    const StateDir state(line.config.state_dir);
    require_backup_settings(line.config);
    RateLimiter reads(line.config.maintenance.verify_read_limit);
    const auto store = open_maintenance_store(line.config, &reads, stop);
    term::ProgressBar bar(std::cerr, term::progress_style(STDERR_FILENO, line.quiet || line.json), "proving");
    ProofOptions options;
    if (!line.set.empty()) options.set = line.set;
    options.workers = line.config.workers;
    options.stop = stop;
    options.on_progress = [&](const backupset::Progress& now) {
        bar.update(now.plain_bytes, now.total_bytes, 0);
    };
    const auto result = at_low_priority(
        line.config, [&] { return prove_by_restoring(line.config.proof, state, *store, clock, options); });
    bar.finish();
    if (line.json)
        std::cout << json_of(result).dump() << "\n";
    else if (result.proven())
        std::cout << one_line(result) << "\n";
    require_proven(result);
    return 0;
}

}  // namespace strongroom::agent
