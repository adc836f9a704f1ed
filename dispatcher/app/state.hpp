// Where everything lies in the state folder.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "common/base/clock.hpp"
#include "dispatcher/auth/own_keys.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"

namespace strongroom::dispatcher {

struct State {
    explicit State(const std::filesystem::path& folder_)
        : folder(folder_),
          home(folder_ / "gnupg"),
          peers(folder_ / "peers"),
          database(folder_ / "dispatcher.sqlite"),
          public_key(folder_ / "dispatcher.asc") {}

    std::filesystem::path folder;
    std::filesystem::path home;
    std::filesystem::path peers;
    std::filesystem::path database;
    std::filesystem::path public_key;
};

// The state that init() made; absolute, private. Throws Error{not_found} with what to run,
// Error{insecure_file}.
State open_state(const std::filesystem::path& folder);

// The store, for a command that runs beside the dispatcher or without it.
std::unique_ptr<SqliteStore> open_store(const State& state);

// A day ("2026-11-22", its beginning) or a moment ("2026-11-22T01:37:00Z"). Throws Error{usage}.
UtcTime parse_time(const std::string& text);

// What the operator did, for the audit trail. Owner: the user who may read it; empty: only the operator.
AuditEntry operator_entry(const Clock& clock, const std::string& action, const std::string& object,
                          const std::string& text);

// The fingerprint in dispatcher.asc, once its secret key was found in the home. Throws Error{crypto}.
std::string read_own_fingerprint(const State& state);

// Our keys: the chain in the database, or what dispatcher.asc names while there was no change. A change of
// key that was cut off between database and dispatcher.asc is ended. Throws Error{crypto} if the home lacks
// the secret of the current one.
OwnKeys read_own_keys(const State& state, Store& store);

}  // namespace strongroom::dispatcher
