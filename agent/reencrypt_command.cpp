#include <unistd.h>

#include <iostream>

#include "agent/commands.hpp"
#include "agent/identity/connection.hpp"
#include "agent/job/backup_run.hpp"
#include "agent/job/job_store.hpp"
#include "agent/job/report.hpp"
#include "agent/rotation/reencryption.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/term/progress_bar.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"

namespace strongroom::agent {
namespace {

Json exposed_json(const std::vector<ExposedSet>& sets) {
    Json out = Json::array();
    for (const auto& one : sets) out.push_back({{"set", one.set}, {"why", one.why}});
    return out;
}

void print(const ReencryptionResult& result, const KnownSubkey& subkey) {
    term::print_fields(
        std::cout,
        {{"subkey in use", std::to_string(subkey.number) + ": " + group_fingerprint(subkey.fingerprint)},
         {"exposed", std::to_string(result.exposed) + " sets with a passphrase from before " +
                         format_utc(from_millis(result.before))},
         {"written anew", std::to_string(result.reencrypted) + " sets, " +
                              term::format_bytes(result.bytes_stored) + ", each opened from the store"},
         {"removed", std::to_string(result.removed) + " old sets"}});
    term::Table left({{"SET"}, {"STILL READABLE WITH THE STOLEN KEY"}});
    for (const auto& one : result.left) left.add({one.set, one.why});
    for (const auto& one : result.failed) left.add({one.set, "not written anew: " + one.why});
    if (!result.left.empty() || !result.failed.empty()) left.print(std::cout, "");
}

// What no program can change.
const char* const what_stays =
    "Whoever copied old sets, or old envelopes and segments, before they were removed can read those copies "
    "for ever: their\ndata counts as known. The same holds for other copies of this store, and for versions "
    "that a "
    "bucket keeps.\nIf the whole host was broken into, its identity key is stolen, too: retire this server "
    "(strongroom server retire)\nand register it anew.\n";

}  // namespace

int reencrypt_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    const StateDir state(line.config.state_dir);
    const AgentRecord agent = state.agent();
    require_backup_settings(line.config);
    const auto writes = open_job_store(line.config, line.config.store, nullptr, stop);
    const auto reads = open_maintenance_store(line.config, nullptr, stop);
    std::optional<proto::Exchange> exchange;
    if (!line.local) exchange.emplace(connect(state, agent, clock));

    RotateOptions rotation;
    rotation.algorithm = line.config.rotation_key_type;
    rotation.workers = line.config.workers;
    rotation.exchange = exchange ? &*exchange : nullptr;
    rotation.rewrapped = line.rewrapped;
    rotation.stop = stop;
    rotate_for_reencryption(state, *writes, clock, rotation);

    term::ProgressBar bar(std::cerr, term::progress_style(STDERR_FILENO, line.quiet || line.json),
                          "re-encrypting");
    ReencryptionOptions options;
    options.workers = line.config.workers;
    options.stop = stop;
    options.on_stage = [&](const ReencryptStage& stage) {
        bar.update(stage.progress.plain_bytes, stage.progress.total_bytes, 0);
    };
    options.on_committed = [&](const backupset::Manifest& manifest) {
        state.change_runs([&](RunState& runs) {
            runs.add_replacement({to_backup(manifest, {}, reads->label()), std::nullopt, false});
        });
    };
    options.on_removed = [&](const std::string& set) {
        state.change_runs([&](RunState& runs) { runs.add_removed(set); });
    };
    const auto result = reencrypt_sets(state, {*reads, *writes}, clock, options);
    bar.finish();
    if (exchange) report_runs({line.config, state, agent, clock}, *exchange, false);

    if (line.json) {
        std::cout << Json{{"subkey", state.keys().current().fingerprint},
                          {"before", result.before},
                          {"exposed", result.exposed},
                          {"reencrypted", result.reencrypted},
                          {"removed", result.removed},
                          {"bytes_stored", result.bytes_stored},
                          {"left", exposed_json(result.left)},
                          {"failed", exposed_json(result.failed)}}
                         .dump()
                  << "\n";
    } else {
        print(result, state.keys().current());
        if (!line.quiet) std::cerr << what_stays;
    }
    if (!result.failed.empty())
        throw Error(
            ErrorKind::corrupt,
            std::to_string(result.failed.size()) + " sets could not be written anew: set " +
                result.failed.front().set + ": " + result.failed.front().why,
            "Copy their objects from another copy of the store, or remove those sets; then run it again.");
    return 0;
}

}  // namespace strongroom::agent
