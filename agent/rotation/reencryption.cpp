#include "agent/rotation/reencryption.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "agent/rotation/reencrypt_journal.hpp"
#include "agent/verifiers/pins.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/backupset/set_list.hpp"
#include "common/backupset/verifier.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/maintenance/pruner.hpp"
#include "common/maintenance/shown.hpp"

namespace strongroom::agent {
namespace {

using backupset::Manifest;

// Manifests know seconds: what was made in the second of the switch counts as made before it.
UtcTime next_second(std::int64_t millis) {
    return std::chrono::ceil<std::chrono::seconds>(from_millis(millis));
}

class SetsAnew {
  public:
    SetsAnew(const StateDir& state, const backupset::ReencryptStores& stores, const Clock& clock,
             const ReencryptionOptions& options, const KeyState& keys)
        : options_(options),
          stores_(stores),
          clock_(clock),
          agent_(state.agent()),
          home_(gpg::Home::use(state.own_home())),
          signers_(state.signers()),
          verifiers_(pinned_verifiers(state)),
          subkey_(keys.current().fingerprint),
          before_(next_second(keys.reencrypt.value().before.value())),
          journal_(state.reencrypt_journal()) {}

    ReencryptionResult run() {
        out_.before = to_millis(before_);
        const auto exposed = choose();
        out_.exposed += exposed.size();
        std::size_t done = 0;
        for (const auto& old : exposed) {
            const auto show = [&](const backupset::Progress& now) {
                if (options_.on_stage) options_.on_stage({old.set, done, exposed.size(), now});
            };
            one(old, show);
            ++done;
        }
        for (const auto& folder : maintenance::unfinished_sets(stores_.reads, agent_.server, before_))
            if (replaced_by_.contains(folder.set)) {
                remove(folder.set);  // a crash left part of it
            } else if (folder.objects > 0) {
                out_.left.push_back(
                    {folder.set, "a backup that was not finished: " + std::to_string(folder.objects) +
                                     " objects, which `prune` removes"});
            }
        tell_of_logs();
        journal_.clear();
        return std::move(out_);
    }

  private:
    // Pieces of the binary log are not written anew: they go with the sets that they go on from.
    void tell_of_logs() {
        const auto logs = backupset::log_folders(stores_.reads, agent_.server);
        const auto old = std::ranges::count_if(logs, [&](const std::string& log) {
            const auto begun = backupset::begun_at(log);
            return begun && *begun < before_;
        });
        if (old > 0)
            out_.left.push_back(
                {"logs", std::to_string(old) +
                             " pieces of the binary log with older passphrases, which `prune` "
                             "(keep-logs-within) removes"});
    }

    // The sets with an older passphrase, oldest first: a set comes after the one that it builds on.
    std::vector<Manifest> choose() {
        std::vector<Manifest> out;
        std::set<std::string> exposed;
        for (auto& info : backupset::list_sets(stores_.reads, agent_.server, signers_)) {
            if (info.unreadable) throw Error(ErrorKind::storage, "set " + info.set + ": " + info.problem);
            if (!info.manifest) {
                out_.failed.push_back({info.set, info.problem});
                continue;
            }
            const Manifest& manifest = *info.manifest;
            if (manifest.replaces) replaced_by_.emplace(*manifest.replaces, manifest);
            const bool old = parse_utc(manifest.reencrypted.value_or(manifest.created)) < before_;
            const bool on_old = manifest.parent && (exposed.contains(*manifest.parent) ||
                                                    replaced_by_.contains(*manifest.parent));
            if (!old && !on_old) continue;
            exposed.insert(manifest.set);
            out.push_back(std::move(*info.manifest));
        }
        return out;
    }

    template <class Show>
    void one(const Manifest& old, Show&& show) {
        try {
            const auto known = replaced_by_.find(old.set);
            if (known != replaced_by_.end()) {
                // Committed by a run that was interrupted; before the old one goes, it is read once more.
                backupset::verify_set(known->second, stores_.reads, show);
            } else {
                replaced_by_.insert_or_assign(old.set, write_anew(old, show));
            }
        } catch (const Error& error) {
            if (!backupset::is_about_the_data(error.kind())) throw error.with_context("set " + old.set);
            log_event(Level::error, "AGENT_SET_NOT_REENCRYPTED", "set {}: {}", old.set, error.text());
            out_.failed.push_back({old.set, error.text()});
            return;
        }
        if (options_.on_committed) options_.on_committed(replaced_by_.at(old.set));
        remove(old.set);
        journal_.clear();
    }

    template <class Show>
    Manifest write_anew(const Manifest& old, Show&& show) {
        const auto begun = journal_.read(old.set);
        backupset::ReencryptOptions options;
        options.identity = agent_.identity;
        options.subkey = subkey_;
        options.verifiers = verifiers_;
        if (old.parent)
            if (const auto parent = replaced_by_.find(*old.parent); parent != replaced_by_.end())
                options.parent = parent->second.set;
        options.time = std::max(clock_.now(), before_);
        options.workers = options_.workers;
        options.stop = options_.stop;
        std::string current = begun ? begun->set : "";
        options.on_begun = [&](const auto& now) {
            journal_.begin(old.set, now);
            if (!current.empty()) discard(current);
            current = now.set;
        };
        options.on_stored = [&](const auto& segment) { journal_.add(segment); };
        try {
            auto fresh = backupset::reencrypt(options, old, begun, stores_, home_, clock_, show);
            log_event(Level::info, "AGENT_SET_REENCRYPTED", "set {} takes the place of {}: {} bytes stored",
                      fresh.set, old.set, fresh.stored_total);
            ++out_.reencrypted;
            out_.bytes_stored += fresh.stored_total;
            return fresh;
        } catch (const Error& error) {
            // What does not open is not gone on with.
            if (backupset::is_about_the_data(error.kind())) {
                journal_.clear();
                if (!current.empty()) discard(current);
            }
            throw;
        }
    }

    // A new set that will not be committed; what cannot be removed is swept as an unfinished set.
    void discard(const std::string& set) const {
        for (const auto& object : stores_.reads.list(backupset::set_prefix(agent_.server, set)))
            stores_.reads.try_remove(object.key);
    }

    void remove(const std::string& set) {
        const auto kept = stores_.reads.kept_versions(backupset::set_prefix(agent_.server, set));
        try {
            maintenance::remove_set(stores_.reads, agent_.server, set);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::forbidden) throw error.with_context("set " + set);
            out_.left.push_back({set, "these credentials may not remove it; `prune` with others does"});
            return;
        }
        ++out_.removed;
        if (kept.versions > 0)
            out_.left.push_back({set, "removed, but the store keeps " + maintenance::text_of(kept)});
        log_event(Level::info, "AGENT_EXPOSED_SET_REMOVED", "set {}{}", set,
                  kept.versions > 0 ? "; the store keeps " + maintenance::text_of(kept) : "");
        if (options_.on_removed) options_.on_removed(set);
    }

    const ReencryptionOptions& options_;
    const backupset::ReencryptStores& stores_;
    const Clock& clock_;
    const AgentRecord agent_;
    const gpg::Home home_;
    const backupset::Signers signers_;
    const std::optional<backupset::Verifiers> verifiers_;
    const std::string subkey_;
    const UtcTime before_;
    ReencryptJournal journal_;
    std::map<std::string, Manifest> replaced_by_;
    ReencryptionResult out_;
};

}  // namespace

void rotate_for_reencryption(const StateDir& state, storage::ObjectStore& store, const Clock& clock,
                             const RotateOptions& options) {
    // One that was begun for another reason may have made its subkey before the theft.
    if (const auto keys = state.keys(); keys.rotation && !keys.reencrypt)
        rotate(state, store, clock, options);
    const auto keys = state.keys();
    if (keys.reencrypt && keys.reencrypt->before && !keys.rotation) return;  // it goes on with the sets
    RotateOptions begins = options;
    begins.for_reencryption = true;
    rotate(state, store, clock, begins);
}

ReencryptionResult reencrypt_sets(const StateDir& state, const backupset::ReencryptStores& stores,
                                  const Clock& clock, const ReencryptionOptions& options) {
    const FileLock alone = state.lock_rotation();
    KeyState keys = state.keys();
    if (keys.rotation || !keys.reencrypt || !keys.reencrypt->before)
        throw Error(ErrorKind::refused, "no re-encryption was begun, or its rotation is not over",
                    "Run: strongroom-agent rotate --reencrypt");
    auto out = SetsAnew(state, stores, clock, options, keys).run();
    if (!out.failed.empty()) return out;
    keys.reencrypt.reset();
    state.save(keys);
    log_event(Level::info, "AGENT_REENCRYPTED",
              "{} sets were written anew, {} old ones removed, {} stay exposed", out.reencrypted, out.removed,
              out.left.size());
    return out;
}

}  // namespace strongroom::agent
