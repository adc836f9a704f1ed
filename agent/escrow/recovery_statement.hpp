// A change of the recovery keys that a pinned recovery key signed: whoever carries it, a dispatcher that lies
// too, can neither make nor change one, nor use one again (S5, S7).
#pragma once

#include <chrono>
#include <string>

#include "agent/state/state_dir.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

inline constexpr std::chrono::hours longest_statement_validity{24 * 7};

// Verifies and applies it; deposits nothing. Returns what was done, for people. A statement that was applied
// before has no further effect. Throws Error{refused} if this host takes none (`allowed`), or it is for
// another server, for another change than the next one, not of this time, or says other pins than there are;
// Error{unauthenticated} unless exactly one signature, by a key that is pinned now, is fully good;
// Error{protocol} or Error{crypto} for its content and the keys in it.
std::string apply_recovery_statement(const StateDir& state, BytesView statement, bool allowed,
                                     const Clock& clock);

}  // namespace strongroom::agent
