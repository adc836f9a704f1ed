// The agent's state folder (0700). The only place that knows its file names.
//
//   gnupg/  recovery/  verifiers/    homes: own key, pinned recovery keys, pinned verifying hosts
//   dispatcher/                      the dispatcher's pinned keys: keys.json (the chain), a home for each key
//   agent.json  token  escrow.json  schedule.json  runs.json  running.json
//   keys.json                        decryption subkeys and a rotation under way; missing before the first
//   recovery.json                    recovery keys that are pinned now; missing before the first change
//   logs.json                        how far the server's binary log is in the store
//   chain.json                       what the next increment builds on; missing: the next backup is a full
//   one reencrypt.journal                what is in the store of the set that is written anew now
//   verifiers.json                   verifying hosts that are pinned; missing before the first
//   verified.json                    what verify and prune know of the sets in the store
//   verified/SERVER.json             the same of servers that this host verifies for
//   figures/                         rows and checksums at the source, of each set that has them
//   proof/                           where sets are restored to for a proof, unless the configuration says
//   throttle.json                    limits set by `throttle`; a backup looks at it all the time
//   progress.json                    how far the backup that runs now is
//   logs/                            files of the binary log that are read and stored now
//   tmp/                             temporary files of the backup tools
//   backup.lock  run.lock            flock: one backup at a time; one daemon
//   rotate.lock                      flock: one rotation at a time
//   escrow.lock                      flock: one deposit or change of the recovery keys at a time
//   logs.lock                        flock: held while a piece of the binary log is sealed
//   maintenance.lock                 flock: one verification or pruning at a time
//   runs.lock                        flock: held for the moment of one change to runs.json
//
// Reads and writes are whole files (atomic). The daemon and a command by hand work here at the same time:
// runs.json changes through change_runs() only, and whoever changes running.json holds the backup lock.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "agent/state/chain_state.hpp"
#include "agent/state/log_state.hpp"
#include "agent/state/records.hpp"
#include "agent/state/verifier_state.hpp"
#include "common/backupset/signers.hpp"
#include "common/base/file_lock.hpp"
#include "common/base/secret.hpp"

namespace strongroom::agent {

class StateDir {
  public:
    // Error{insecure_file} if the folder is open to others. Missing: made if `create`, else agent() will say
    // so.
    explicit StateDir(std::filesystem::path path, bool create = false);

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path own_home() const { return path_ / "gnupg"; }
    std::filesystem::path dispatcher_keys() const { return path_ / "dispatcher"; }
    std::filesystem::path recovery_home() const { return path_ / "recovery"; }
    std::filesystem::path verifier_home() const { return path_ / "verifiers"; }
    std::filesystem::path agent_file() const { return path_ / "agent.json"; }
    std::filesystem::path token_file() const { return path_ / "token"; }
    std::filesystem::path temp_folder() const { return path_ / "tmp"; }
    std::filesystem::path log_folder() const { return path_ / "logs"; }
    std::filesystem::path reencrypt_journal() const { return path_ / "reencrypt.journal"; }
    std::filesystem::path verified_file() const { return path_ / "verified.json"; }

    // Error{not_found} with the register command as its hint. `identity` and `subkey` are those in use now,
    // `recovery` what is pinned now: read them anew for each piece of work, another process may have changed
    // them.
    AgentRecord agent() const;
    std::vector<std::string> registered_recovery() const;  // the recovery keys that were pinned at first
    bool is_registered() const;
    // Whose signatures under sets count: the identity key's, and those of the keys before it.
    backupset::Signers signers() const;
    // The identity key that the dispatcher knows this host by: after a change without it, a former one.
    std::string dispatcher_identity() const;
    Secret token() const;

    std::optional<EscrowState> escrow() const;
    void save(const EscrowState& state) const;  // hold the escrow lock
    RecoveryState recovery() const;
    void save(const RecoveryState& state) const;  // hold the escrow lock
    VerifierState verifiers() const;
    void save(const VerifierState& state) const;  // hold the escrow lock
    KeyState keys() const;
    void save(const KeyState& state) const;  // hold the rotation lock
    ScheduleState schedules() const;
    void save(const ScheduleState& state) const;
    RunState runs() const;
    // Reads runs.json, changes it and writes it, so that what another process adds meanwhile is not lost.
    void change_runs(const std::function<void(RunState&)>& change) const;
    std::optional<Begun> begun() const;
    void save(const Begun& state) const;
    void clear_begun() const;
    std::optional<ChainState> chain() const;
    void save(const ChainState& state) const;  // hold the backup lock
    void clear_chain() const;                  // hold the backup lock
    LogState logs() const;                     // damaged: as if there were none, and logged
    void save(const LogState& state) const;    // the daemon only
    Throttle throttle() const;
    void save(const Throttle& state) const;
    std::optional<BackupProgress> progress() const;  // nullopt if no backup runs
    void clear_progress() const noexcept;
    void save(const BackupProgress& state) const;  // not synced: lost with the machine, as the backup is

    // Error{busy} if another process makes a backup now.
    FileLock lock_backup() const;
    std::optional<FileLock> try_lock_backup() const;
    // Waits for a backup that runs; `waiting` is called five times a second, and throws to end the wait.
    FileLock wait_to_lock_backup(const std::function<void()>& waiting) const;
    // Held by whoever seals a piece of the binary log: its keys stay as they are. Waits.
    FileLock lock_logs() const;
    // Both: nothing is sealed with the keys in use now. Waits as above.
    struct KeyLocks {
        FileLock backup;
        FileLock logs;
    };
    KeyLocks wait_to_lock_keys(const std::function<void()>& waiting) const;
    bool is_backup_running() const;
    // Error{busy} if another process rotates the keys now.
    FileLock lock_rotation() const;
    // Held by whoever deposits an escrow record or changes the pins, so that no record for former pins comes
    // last. Waits up to a minute, then Error{busy}.
    FileLock lock_escrow() const;
    // Error{busy} if another process verifies or prunes now.
    FileLock lock_maintenance() const;
    // Error{busy} if another daemon uses this folder.
    FileLock lock_run() const;

    // Makes temp_folder() and removes what a killed backup left in it. Hold the backup lock.
    void clean_temp_folder() const;
    // The same for log_folder(), for the daemon.
    void clean_log_folder() const;

  private:
    std::filesystem::path path_;
};

}  // namespace strongroom::agent
