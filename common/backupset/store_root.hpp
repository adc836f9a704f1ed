// What a server keeps once in its store, beside the sets: public key, recovery text, escrow records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// Writes agent.asc and RECOVERY.txt unless they are there with the same bytes.
void write_store_root(storage::ObjectStore& store, const std::string& server, const std::string& identity,
                      const std::string& agent_public_key);

// Puts the record and reads it back (S9); throws Error{storage} if it differs. False if these credentials may
// put and not read: then it counts that the store took the bytes against their SHA-256.
bool write_escrow_record(storage::ObjectStore& store, const std::string& server, const std::string& subkey,
                         BytesView record);

// The record of this subkey that is in force; none if there is none, or these credentials may not read.
std::optional<Bytes> read_escrow_record(storage::ObjectStore& store, const std::string& server,
                                        const std::string& subkey);
// Puts a record aside that is about to be replaced, unless one was put there before.
void keep_escrow_record(storage::ObjectStore& store, const std::string& server, const std::string& subkey,
                        std::int64_t sequence, BytesView record);

struct EscrowRecord {
    std::string subkey;  // fingerprint, from the object's name
    Bytes record;        // gpg -d FILE | gpg --import
};
// Those in force: what was put aside is not among them.
std::vector<EscrowRecord> read_escrow_records(storage::ObjectStore& store, const std::string& server);

Bytes read_agent_key(storage::ObjectStore& store, const std::string& server);
std::vector<std::string> list_servers(storage::ObjectStore& store);  // UUIDs that have an agent.asc

// The text of RECOVERY.txt. A test follows its commands to the letter.
std::string recovery_text(const std::string& server, const std::string& identity);

}  // namespace strongroom::backupset
