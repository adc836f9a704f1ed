// What SQLite said no with, while its connection still knows why, and the same as one of our errors.
#pragma once

#include <string>

#include "common/base/error.hpp"
#include "dispatcher/store/sqlite/statements.hpp"

namespace strongroom::dispatcher {

struct Refusal {
    int code = 0;      // SQLite's primary result code
    int extended = 0;  // the extended one: which call failed
    int system = 0;    // errno of that call, or 0
    std::string text;

    bool locked() const { return code == sqlite_busy || code == sqlite_locked; }
};

// Before the connection is used again: a ROLLBACK forgets the reason.
Refusal refusal_of(soci::session& session, const soci::sqlite3_soci_error& error);
// For a connection that could not be made.
Refusal refusal_of(const soci::sqlite3_soci_error& error);

// Error{busy} for a lock, Error{corrupt} for damage, Error{storage} otherwise, each with what to do.
[[noreturn]] void rethrow(const Refusal& refusal);

}  // namespace strongroom::dispatcher
