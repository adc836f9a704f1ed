// Deposits decryption subkeys, encrypted to the pinned recovery keys and to nobody else (S7, S9).
#pragma once

#include "agent/state/state_dir.hpp"
#include "common/base/clock.hpp"
#include "common/storage/object_store.hpp"
#include "proto/exchange.hpp"

namespace strongroom::agent {

// The escrow record: the decryption subkey alone (of whichever identity key of this host), signed by
// agent.identity, encrypted to agent.recovery.
// Throws Error{crypto} if anything but that subkey would be in it.
Bytes make_escrow_record(const StateDir& state, const AgentRecord& agent);

// Makes a record of `subkey` for the recovery keys that are pinned now, and puts it into the store (read back
// and compared) and at the dispatcher (compared by the digest in its signed reply). A record for other
// recovery keys that lies in the store is kept there under another name first. `exchange` may be null: then
// only the store gets it. What succeeded is remembered even if the other side failed; the failure is thrown.
// `identity`: signs instead of the identity key in use: the one that a change is about to bring into use. The
// store's agent.asc stays as it is then.
Deposit deposit_escrow(const StateDir& state, const std::string& subkey, storage::ObjectStore& store,
                       proto::Exchange* exchange, const Clock& clock,
                       const std::optional<std::string>& identity = {});

// The subkeys, the one in use first, that have no record for the recovery keys pinned now in the store (and,
// if `at_dispatcher`, there). None is due if all is well.
std::vector<std::string> due_escrow(const StateDir& state, bool at_dispatcher);

// Deposits what is due. Goes on after a failure, and throws the first one at its end.
std::vector<Deposit> deposit_due_escrow(const StateDir& state, storage::ObjectStore& store,
                                        proto::Exchange* exchange, const Clock& clock);

// Whether the current subkey is deposited at the dispatcher or in the store.
bool is_escrowed(const StateDir& state, const AgentRecord& agent);

}  // namespace strongroom::agent
