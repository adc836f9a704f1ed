// Recovery: from an escrow record to a GnuPG home that can open a server's backup sets, with the user's own
// gpg (pinentry and smartcards work, because it is the user's own home).
//
// A record counts only if it is encrypted to the user AND signed by the server's identity key. Which key that
// is comes from the user's own memory or hand, never from where the record came from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/backupset/store_root.hpp"
#include "common/gpg/home.hpp"
#include "common/identity/identities.hpp"

namespace strongroom::client {

// What a dispatcher or a store holds for a server.
struct Escrow {
    std::string server;
    std::string origin;  // for people: "dispatcher https://...", "file:///srv/backups"
    ShownIdentities identities;
    std::vector<backupset::EscrowRecord> records;
};

// Throws Error{not_found} if the store has no such server or no escrow record of it.
Escrow escrow_from_store(storage::ObjectStore& store, const std::string& server);

// A folder made by recover(): a GnuPG home with the server's decryption subkeys, and server.json beside them.
struct RecoveredHome {
    std::string server;
    std::string identity;               // full fingerprint of the server's newest identity key
    std::vector<std::string> subkeys;   // decryption subkeys whose secret is here
    std::vector<std::string> problems;  // records that could not be opened; not stored
};

// Makes `into`, which must not exist or be empty. `identities`: the server's keys, followed from the one that
// the user trusts; a record signed by any of them counts. Nothing is left under `into` on failure. Errors:
// Error{exists} for a target in use, Error{not_found} without a record, Error{crypto} if no record opens.
RecoveredHome recover(const Escrow& escrow, const Identities& identities, const gpg::Home& user_home,
                      const std::filesystem::path& into);
// The same of a server that has had one identity key. Error{refused} if the agent's key is not `identity`.
RecoveredHome recover(const Escrow& escrow, const std::string& identity, const gpg::Home& user_home,
                      const std::filesystem::path& into);

// Reads server.json of a home made by recover(), checking that it is the one of `server`. Throws
// Error{not_found} if it is no such folder, Error{refused} if it belongs to another server.
RecoveredHome open_recovered_home(const std::filesystem::path& home, const std::string& server);

}  // namespace strongroom::client
