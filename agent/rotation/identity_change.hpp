// The change of this host's identity key: a new primary key with its own decryption subkey takes the place of
// the one in use; the server's UUID stays. The state is in keys.json, one file that each step replaces
// atomically as its last act:
//
//   (none)     make the new key, and the statement "after A comes B", signed by A and by B -> pending. A
//              crash leaves a key that nothing names; the next beginning deletes it.
//   pending    both signatures are shown, in the store and at the dispatcher, and the user approves the new
//              fingerprint, read off this host's screen: the same statement signed by a recovery key that is
//              pinned here. Nothing else leads on. -> approved; or cancelled: the new key is deleted.
//   approved   in time: the escrow record of B's subkey, signed by B, into the store, read back; then
//              SERVER/identity/, the approval last -> committed. A crash leaves a record that nothing uses.
//   committed  the dispatcher is told (all three proofs, signed by A) and from then on hears B only; the
//              escrow record for it. While no backup runs: B and its subkey come into use, and the step
//              "rewrap" of a rotation begins, in one write -> (none)
//   (none)     rotation.hpp: envelopes are rewrapped, manifests signed anew, agent.asc is B
//
// Running it again goes on where it stopped; each step may be done twice. Until the switch all is signed by
// A, afterwards by B; A's secret is kept (its subkeys open older copies), and signs nothing any more. Backups
// go on meanwhile. Readers accept what A signed for sets begun before the statement expires.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "agent/rotation/rotation.hpp"
#include "agent/state/state_dir.hpp"
#include "common/base/clock.hpp"
#include "common/storage/object_store.hpp"
#include "proto/exchange.hpp"

namespace strongroom::agent {

inline constexpr std::chrono::hours identity_change_validity{24 * 7};

// A new way to the dispatcher, with this identity key of the host.
using ConnectAs = std::function<proto::Exchange(const std::string& identity)>;

// Makes the new key and the pending statement. `algorithm`: as gpg::generate_key() takes it; "same" as the
// key in use. Error{exists} if a change is under way, Error{busy} if a rotation is.
IdentityChangeState begin_identity_change(const StateDir& state, const std::string& algorithm,
                                          const Clock& clock);

// Shows the pending statement in the store and, unless `connect` is empty, to the dispatcher.
void show_pending_identity(const StateDir& state, storage::ObjectStore& store, const ConnectAs& connect);

// Deletes the new key and forgets the statement. Error{refused} once it was committed.
void cancel_identity_change(const StateDir& state);

// Takes the user's approval of the pending statement. Returns what was done, for people; one that was taken
// before has no further effect. Throws Error{refused} if nothing is pending, or the approval is for another
// statement or comes too late, Error{unauthenticated} unless a recovery key that is pinned now signed it.
std::string approve_identity_change(const StateDir& state, BytesView approval, const Clock& clock);

// Whether there is something to go on with: an approved change, its rewrap, or a dispatcher to be told.
bool identity_change_goes_on(const StateDir& state);

// Goes on from the approval to the end. A change that is committed is switched in any case before its
// statement expires, also when the dispatcher is away. Throws as rotate() does; Error{refused} without an
// approval, or if it came to its end of time before it was committed. The result is of the rewrap.
RotationResult change_identity(const StateDir& state, storage::ObjectStore& store, const Clock& clock,
                               const RotateOptions& options, const ConnectAs& connect);

// Tells the dispatcher of changes that were made without it.
void tell_identity_changes(const StateDir& state, const ConnectAs& connect);

// What is kept of a change, as proofs.
IdentityChange proofs_of(const KeptIdentityChange& kept);

}  // namespace strongroom::agent
