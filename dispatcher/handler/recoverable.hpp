// Whether a server counts as recoverable: the newest escrow record of its subkey in use was shown to open,
// not too long ago.
#pragma once

#include <optional>
#include <string>

#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

// The newest record of this subkey.
std::optional<EscrowRecord> newest_record(Transaction& tx, const std::string& server,
                                          const std::string& subkey);

// The proof of exactly that record, however old.
std::optional<Proof> proof_of(Transaction& tx, const EscrowRecord& record);

// How long a proof counts, in milliseconds: what `serve` was told with --alert-proof-days.
std::int64_t proof_window(Transaction& tx);
inline constexpr const char* proof_window_value = "proof_window";  // its name among the service's values
inline constexpr int default_proof_days = 90;

}  // namespace strongroom::dispatcher
