// Verifies the sets of a server against the log of what was verified before: each set by itself
// (backupset/verifier.hpp), the sets it builds on, and whether it changed or vanished since.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/backupset/verifier.hpp"
#include "common/base/clock.hpp"
#include "common/maintenance/trusted_server.hpp"
#include "common/maintenance/verification_log.hpp"

namespace strongroom::maintenance {

// Which of the committed sets are read: those that were never verified first, then those whose last time is
// longest ago.
struct VerifyChoice {
    std::vector<std::string> sets;  // only these; empty: all that the rest allows
    std::int64_t at_most = 0;       // 0: no limit
    int sample = 0;                 // percent, taken at random; 0: all
    bool forget_missing = false;    // sets of the log that are gone leave it; else each is a finding
};

struct VerifyRun {
    VerifyChoice choice;
    backupset::VerifyOptions read;
    bool sign = false;  // the log, once at the end
    // False: begin no further set. Asked before each but the first.
    std::function<bool()> go_on;
    std::function<void(const std::string& set, const backupset::Progress&)> on_progress;
};

// Pieces of the binary log (log_verification.hpp).
struct LogVerdict {
    std::size_t committed = 0;  // that the store holds
    std::size_t read = 0;
    std::vector<backupset::SetVerdict> bad;  // those of them that are not good
};

struct ServerVerdict {
    std::vector<backupset::SetVerdict> sets;  // in the order of time; those that are gone first
    std::size_t committed = 0;                // that the store holds
    std::size_t left = 0;                     // chosen, and not begun
    LogVerdict logs;                          // unless sets were named
};

// The log is saved after each set, so that what was read is not read again. Throws what the store throws
// (then nothing is known about the set that was being read), and what the callbacks throw.
ServerVerdict verify_server(const TrustedServer& server, VerificationLog& log, const Clock& clock,
                            const VerifyRun& run);

// How many of these sets are not good, and what to do about the worst of them.
struct Summary {
    std::size_t checked = 0;
    std::size_t bad = 0;
    backupset::Flaw worst = backupset::Flaw::chain;
    void add(const ServerVerdict& verdict);
    // Throws the worst as an Error whose kind is its exit code; `detail` is put behind the numbers.
    void require_all_good(const std::string& detail = {}) const;
};

// "OBJECT: what is wrong with it (and 3 more)": one line for a set that is not good.
std::string one_line(const backupset::SetVerdict& verdict);

}  // namespace strongroom::maintenance
