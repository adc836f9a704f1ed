#include "agent/job/backup_run.hpp"

#include <algorithm>
#include <future>

#include "agent/job/backup_watch.hpp"
#include "agent/job/chain_plan.hpp"
#include "agent/job/hooks.hpp"
#include "agent/job/job_store.hpp"
#include "agent/job/leftovers.hpp"
#include "agent/job/low_priority.hpp"
#include "agent/job/metrics_file.hpp"
#include "agent/job/own_seal.hpp"
#include "agent/proof/source_figures.hpp"
#include "agent/source/dump_scope.hpp"
#include "agent/source/open_source.hpp"
#include "agent/source/redo_log.hpp"
#include "agent/verifiers/pins.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/rate_limited_source.hpp"
#include "common/backupset/sealer.hpp"
#include "common/backupset/set_list.hpp"
#include "common/backupset/stage.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/keys.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::agent {
using backupset::in_stage;
proto::Backup to_backup(const backupset::Manifest& manifest, const Origin& origin, const std::string& store) {
    proto::Backup out;
    out.set = manifest.set;
    out.kind = manifest.kind;
    out.created = to_millis(parse_utc(manifest.created));
    out.finished = to_millis(parse_utc(manifest.finished));
    out.plain_bytes = manifest.plain_total;
    out.stored_bytes = manifest.stored_total;
    out.segments = static_cast<std::int64_t>(manifest.segments.size());
    out.source = manifest.source_tool;
    out.server_version = manifest.server_version;
    out.store = printable_line(store, 240);
    out.schedule = origin.schedule;
    out.slot = origin.slot;
    return out;
}

namespace {

void remember(const StateDir& state, proto::Backup backup, const Origin& origin) {
    state.change_runs([&](RunState& runs) {
        runs.last_problem.reset();
        runs.add({std::move(backup), origin.job, false});
    });
}

void remember_start(const Host& host, const Origin& origin, const Begun& begun) {
    host.state.change_runs([&](RunState& runs) {
        if (origin.job || origin.schedule) runs.last_ordered = begun.started;
        runs.last_job = origin.job;
    });
    host.state.save(begun);
}

ChainPlan plan_chain(const Host& host, const Origin& origin, const Tool& tool, storage::ObjectStore& store) {
    if (!origin.incremental) return {};
    auto plan = plan_increment(host, tool, store);
    if (!plan.on)
        log_event(Level::warning, "AGENT_FULL_INSTEAD", "a full backup is made in place of an increment: {}",
                  plan.why_full);
    return plan;
}

// For the increments after this backup, too, not only for this one; a host without increments needs none of
// it.
void look_after_checkpoint(const Host& host, const Origin& origin, const Tool& tool) {
    if (tool.family != ToolFamily::physical || !host.config.advance_checkpoint) return;
    if (!origin.incremental && !makes_increments(host.state)) return;
    if (const auto done = advance_checkpoint(host.config.mysql_option_file); !done.empty())
        log_event(Level::info, "AGENT_CHECKPOINT", "the database's checkpoint: {}", done);
}

backupset::SealOptions seal_options(const Host& host, const Tool& tool, const ChainPlan& plan) {
    backupset::SealOptions out = own_seal_options(host);
    out.verifiers = pinned_verifiers(host.state);
    if (plan.on) out.parent = plan.on->newest;
    out.stream = tool.stream;
    out.partial = dump_scope(host.config).partial();
    out.source_tool = tool.name;
    out.source_version = tool.version;
    if (!plan.on) out.expected_bytes = expected_bytes(host.config, tool);
    return out;
}

// The set is committed: what fails here only makes the next backup a full one.
void remember_chain(const Host& host, const backupset::Manifest& manifest, const ChainPlan& plan) {
    try {
        note_chain(host, manifest, plan.on);
    } catch (const Error& error) {
        log_event(Level::warning, "AGENT_CHAIN_ENDS", "the next increment will be a full backup: {}",
                  error.text());
        host.state.clear_chain();
    }
}

// What a failed backup could not remove is remembered as begun, and removed before the next.
void forget_unless_left(const Host& host, storage::ObjectStore& store, const std::string& set) {
    try {
        if (!store.list(backupset::set_prefix(host.agent.server, set)).empty()) return;
    } catch (const Error&) {
        return;
    }
    host.state.clear_begun();
}

proto::Backup seal_one(const Host& host, const Origin& origin, const std::stop_token& stop,
                       const backupset::OnProgress& on_progress) {
    require_backup_settings(host.config);
    const Tool tool = in_stage("source", [&] { return find_tool(host.config); });
    BackupRates rates(read_limits(host));
    std::stop_source ended;  // frees whoever waits for a rate, a retry or a store that hangs
    const std::stop_callback ends_waiting(stop, [&] { ended.request_stop(); });
    const auto store = in_stage("store", [&] {
        return open_job_store(host.config, host.config.store, &rates.writes, ended.get_token(), host.meter);
    });
    const gpg::Home home = gpg::Home::use(host.state.own_home());
    const std::string identity = host.state.agent().identity;
    const auto key = in_stage("encrypt", [&] { return gpg::export_public(home, identity); });
    in_stage("store", [&] { backupset::write_store_root(*store, host.agent.server, identity, key); });

    const UtcTime now = host.clock.now();
    const std::string set = make_set_id(now);
    const auto plan = plan_chain(host, origin, tool, *store);
    look_after_checkpoint(host, origin, tool);
    const auto options = seal_options(host, tool, plan);
    remember_start(host, origin,
                   {set, host.config.store, to_millis(now), origin.job, origin.schedule, origin.slot});
    try {
        BackupWatch watch(host, rates,
                          {set, options.expected_bytes, [&] { return store->retries(); }, on_progress});
        backupset::RateLimitedSource source(in_stage("source",
                                                     [&] {
                                                         std::optional<std::int64_t> since;
                                                         if (plan.on) since = plan.on->lsn;
                                                         return open_source(host.config, tool,
                                                                            host.state.temp_folder(), since);
                                                     }),
                                            rates.reads, ended);
        const std::stop_callback ends_source(stop, [&] { source.abort(); });
        const auto watched = [&](const backupset::Progress& progress) {
            if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "the backup was stopped");
            watch.update(progress);
        };
        log_event(Level::info, "AGENT_BACKUP_STARTED", "set {} with {} to {}", set, tool.name,
                  store->label());
        const auto manifest = backupset::seal(options, set, source, *store, home, host.clock, watched);
        proto::Backup out = to_backup(manifest, origin, store->label());
        remember(host.state, out, origin);
        remember_chain(host, manifest, plan);
        host.state.clear_begun();
        log_event(Level::info, "AGENT_BACKUP_COMMITTED", "{} set {}: {} bytes in {} segments, {} stored",
                  out.kind, set, out.plain_bytes, out.segments, out.stored_bytes);
        keep_figures(host.config, host.state, manifest, host.clock.now(), stop);
        return out;
    } catch (...) {
        forget_unless_left(host, *store, set);
        throw;
    }
}

}  // namespace

proto::Backup run_backup(const Host& host, const Origin& origin, const FileLock& lock,
                         const std::stop_token& stop, const backupset::OnProgress& on_progress) {
    recover_interrupted(host, lock);
    try {
        in_stage("source", [&] { run_hook_before(host.config, origin.incremental); });
        auto made = at_low_priority(host.config, [&] { return seal_one(host, origin, stop, on_progress); });
        run_hook_after(host.config, &made);
        return made;
    } catch (const Error& error) {
        run_hook_after(host.config, nullptr);
        const Error shown =
            stop.stop_requested() ? Error(ErrorKind::interrupted, error.text(), error.hint()) : error;
        host.state.change_runs([&](RunState& runs) { runs.last_problem = to_problem(shown); });
        write_metrics(host, {});
        throw shown;
    }
}

void recover_interrupted(const Host& host, const FileLock&) {
    host.state.clean_temp_folder();
    const auto begun = host.state.begun();
    if (!begun) return;
    remove_leftovers(host);
    const Origin origin{begun->job, begun->schedule, begun->slot};
    try {
        const auto store = open_job_store(host.config, begun->store, nullptr, {}, host.meter);
        const RunState runs = host.state.runs();
        const bool known =
            std::ranges::any_of(runs.runs, [&](const Run& run) { return run.backup.set == begun->set; });
        if (known) {
            // The crash came after everything was remembered.
        } else if (store->stat(backupset::manifest_signature_key(host.agent.server, begun->set))) {
            const auto manifest =
                backupset::read_manifest(*store, host.agent.server, begun->set, host.state.signers());
            remember(host.state, to_backup(manifest, origin, store->label()), origin);
            log_event(Level::warning, "AGENT_BACKUP_RECOVERED",
                      "set {} was committed before a crash and is kept", begun->set);
        } else {
            const auto leftovers = store->list(backupset::set_prefix(host.agent.server, begun->set));
            for (const auto& object : leftovers) store->remove(object.key);
            log_event(Level::warning, "AGENT_BACKUP_LEFTOVERS_REMOVED",
                      "set {} was left unfinished by a crash or a store that failed; {} objects of it were "
                      "removed",
                      begun->set, leftovers.size());
        }
    } catch (const Error& error) {
        // What is left there has no commit record and never lists as a backup.
        log_event(Level::warning, "AGENT_BACKUP_LEFTOVERS_KEPT", "set {} could not be looked after: {}",
                  begun->set, error.text());
        if (error.kind() == ErrorKind::timeout) return;  // a store that hangs is asked again
    }
    host.state.clear_begun();
}

proto::Problem to_problem(const Error& error) {
    proto::Problem out;
    out.kind = std::string(name(error.kind()));
    const std::string text = error.text();
    const auto colon = text.find(": ");
    if (colon != std::string::npos &&
        is_one_of(text.substr(0, colon),
                  {"source", "compress", "encrypt", "store", "commit", "member", "window"}))
        out.stage = text.substr(0, colon);
    out.text = printable_line(text, 1900);
    out.hint = printable_line(error.hint(), 1900);
    return out;
}

}  // namespace strongroom::agent
