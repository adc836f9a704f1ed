// Verification of the pieces of a server's binary log, without a key: each by itself, as sets are, and that
// no piece is gone from the middle. Remembers nothing: where time or a share limits a run, it reads pieces at
// random, so that in time it reads them all.
#pragma once

#include <string>
#include <vector>

#include "common/maintenance/verification.hpp"

namespace strongroom::maintenance {

// Throws as verify_server().
LogVerdict verify_logs(const TrustedServer& server, const VerifyRun& run);

std::string text_of(
    const LogVerdict& verdict);  // "12 of 400 pieces of the binary log were read"; empty: there are none
Json json_of(const LogVerdict& verdict);

}  // namespace strongroom::maintenance
