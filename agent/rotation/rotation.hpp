// Rotation: a new decryption subkey takes the place of the one in use, and every envelope in the store is
// rewrapped for it. The state is keys.json, one file that each step replaces atomically as its last act:
//
// | step in keys.json | what is done in it, and then                       | subkey in use | a crash in it
// leaves |
// |-------------------|----------------------------------------------------|---------------|----------------------|
// | (no rotation)     | note that a rotation began          -> make        | n             | nothing | | make
// | make subkey n+1, or find the one that a crash left | n             | perhaps a subkey     | | | -> escrow
// |               | that nothing uses    | | escrow            | agent.asc; escrow record of n+1 into the
// store,    | n             | perhaps a record of  | |                   | read back; to the dispatcher with
// the new public   |               | a subkey that        | |                   | key, acknowledged by
// digest; then, while no backup |               | nothing uses         | |                   | runs, n+1 is
// in use                 -> rewrap      |               |                      | | rewrap            |
// rewrap.hpp over all sets; when none needs another  | n+1           | sets of n and of n+1 | | | subkey: n
// expires, agent.asc again  -> no rotation |               |                      |
//
// Running it again goes on where it stopped; each step may be done twice. At every moment each set opens with
// a subkey that is in escrow, and this host keeps the secrets of all its subkeys: none is ever deleted,
// because an older copy of the store may still need it. Backups go on meanwhile; from the switch on they use
// n+1.
#pragma once

#include <functional>
#include <stop_token>

#include "agent/state/state_dir.hpp"
#include "common/backupset/rewrap.hpp"
#include "common/base/clock.hpp"
#include "common/storage/object_store.hpp"
#include "proto/exchange.hpp"

namespace strongroom::agent {

// Where a rotation is: "make", "escrow", "wait" (for a backup to end), "switch", "rewrap", "retire".
struct RotationStage {
    std::string name;
    std::size_t done = 0;   // envelopes
    std::size_t total = 0;  // 0: does not count any
};

struct RotateOptions {
    std::optional<std::string> job;       // of the dispatcher: begins at most one rotation
    std::string algorithm = "cv25519";    // of the new subkey; see add_encryption_subkey()
    int workers = 0;                      // 0: see RewrapOptions
    proto::Exchange* exchange = nullptr;  // null: escrow in the store alone
    std::stop_token stop;
    // From any thread, one call at a time. Throwing from it ends the rotation where it is.
    std::function<void(const RotationStage&)> on_stage;
};

struct RotationResult {
    std::string retired;  // fingerprint of the subkey that was in use
    std::string subkey;   // of the one in use now
    std::int64_t number = 0;
    bool resumed = false;
    backupset::RewrapResult rewrap;
};

// Begins a rotation, or ends one that was begun. Throws Error{busy} if another process rotates,
// Error{corrupt} that names the sets if some envelope cannot be rewrapped: the old subkey is then not
// retired; and what escrow, store and gpg throw. Whatever is thrown: nothing is lost, and running it again
// goes on.
RotationResult rotate(const StateDir& state, storage::ObjectStore& store, const Clock& clock,
                      const RotateOptions& options);

}  // namespace strongroom::agent
