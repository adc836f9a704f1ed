// Rotation: a new decryption subkey takes the place of the one in use, and every envelope in the store is
// rewrapped for it. The state is keys.json, one file that each step replaces atomically as its last act:
//
//   (none)   note that a rotation began -> make. In use: n. A crash leaves nothing.
//   make     make subkey n+1, or find the one that a crash left -> escrow. In use: n.
//   escrow   agent.asc; the escrow record of n+1 into the store, read back, and to the
//            dispatcher with the new public key, acknowledged by its digest; then, while no
//            backup runs, n+1 comes into use -> rewrap. In use until then: n. A crash leaves
//            a record of a subkey that nothing uses.
//   rewrap   rewrap.hpp over all sets (and resign.hpp, after a change of the identity key, which
//            comes here by identity_change.hpp); when none needs another subkey: n expires, agent.asc
//            again -> (none). In use: n+1. A crash leaves sets of n and of n+1.
//
// Running it again goes on where it stopped; each step may be done twice. At every moment each set opens with
// a subkey that is in escrow, and this host keeps the secrets of all its subkeys: none is ever deleted,
// because an older copy of the store may still need it. Backups go on meanwhile; from the switch on they use
// n+1.
#pragma once

#include <functional>
#include <stop_token>

#include "agent/state/state_dir.hpp"
#include "common/backupset/resign.hpp"
#include "common/backupset/rewrap.hpp"
#include "common/base/clock.hpp"
#include "common/storage/object_store.hpp"
#include "proto/exchange.hpp"

namespace strongroom::agent {

// Where a rotation is: "make", "escrow", "wait" (for a backup to end), "switch", "rewrap", "resign",
// "retire".
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
    // The user rewrapped all envelopes (strongroom rewrap), as this host's credentials may only put: none is
    // looked at. Error{refused} unless a rotation is at this step.
    bool rewrapped = false;
    // Notes in keys.json that sets are to be written anew, and the moment of the switch (reencryption.hpp).
    bool for_reencryption = false;
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
    // After a change of the identity key (identity_change.hpp): the manifests that were signed anew. None: no
    // such change, or these credentials may not read manifests.
    std::optional<backupset::ResignResult> resign{};
};

// Begins a rotation, or ends one that was begun. Throws Error{busy} if another process rotates,
// Error{corrupt} that names the sets if some envelope cannot be rewrapped: the old subkey is then not
// retired; and what escrow, store and gpg throw. Whatever is thrown: nothing is lost, and running it again
// goes on.
RotationResult rotate(const StateDir& state, storage::ObjectStore& store, const Clock& clock,
                      const RotateOptions& options);

}  // namespace strongroom::agent
