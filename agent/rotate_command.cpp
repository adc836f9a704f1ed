#include <unistd.h>

#include <iostream>

#include "agent/commands.hpp"
#include "agent/identity/connection.hpp"
#include "agent/job/job_store.hpp"
#include "agent/rotation/rotation.hpp"
#include "common/base/ids.hpp"
#include "common/term/progress_bar.hpp"
#include "common/term/table.hpp"

namespace strongroom::agent {

int rotate_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    const StateDir state(line.config.state_dir);
    const AgentRecord agent = state.agent();
    require_backup_settings(line.config);
    const auto store = open_job_store(line.config, line.config.store, nullptr, stop);
    std::optional<proto::Exchange> exchange;
    if (!line.local) exchange.emplace(connect(state, agent, clock));
    term::ProgressBar bar(std::cerr, term::progress_style(STDERR_FILENO, line.quiet || line.json),
                          "rewrapping envelopes");
    RotateOptions options;
    options.algorithm = line.config.rotation_key_type;
    options.workers = line.config.workers;
    options.exchange = exchange ? &*exchange : nullptr;
    options.rewrapped = line.rewrapped;
    options.stop = stop;
    options.on_stage = [&](const RotationStage& stage) {
        if (stage.total > 0)
            bar.update(static_cast<std::int64_t>(stage.done), static_cast<std::int64_t>(stage.total), 0);
    };
    const RotationResult result = rotate(state, *store, clock, options);
    bar.finish();
    if (line.json) {
        std::cout << Json{{"subkey", result.subkey},
                          {"number", result.number},
                          {"retired", result.retired},
                          {"resumed", result.resumed},
                          {"sets", result.rewrap.sets},
                          {"rewrapped", result.rewrap.rewrapped},
                          {"bytes_written", result.rewrap.bytes_written},
                          {"private_key_uses", result.rewrap.private_key_uses}}
                         .dump()
                  << "\n";
        return 0;
    }
    std::cout << "The keys are rotated.\n";
    term::print_fields(
        std::cout,
        {{"subkey in use", std::to_string(result.number) + ": " + group_fingerprint(result.subkey)},
         {"retired", group_fingerprint(result.retired)},
         {"envelopes", line.rewrapped
                           ? std::string("rewrapped by their owner, not looked at")
                           : std::to_string(result.rewrap.rewrapped) + " rewrapped of " +
                                 std::to_string(result.rewrap.sets) + ", each opened with the new key"},
         {"escrow", exchange ? "in the store and at the dispatcher" : "in the store"}});
    if (!line.quiet)
        std::cerr
            << "If the old key was stolen: whoever also copied old envelopes keeps their passphrases. "
               "Rotation does not undo that: strongroom-agent rotate --reencrypt writes the sets anew.\n";
    return 0;
}

}  // namespace strongroom::agent
