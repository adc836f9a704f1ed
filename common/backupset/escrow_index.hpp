// The index of a server's escrow records: which recovery keys open which record, and which were replaced
// (docs/format.md, section 4). Signed by the identity key; for people and `strongroom keys`, it decides
// nothing: an older one can be shown by whoever can write the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/backupset/signers.hpp"
#include "common/base/json_fields.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

struct IndexedRecord {
    std::string subkey;
    std::int64_t sequence = 0;  // of the set of recovery keys
    std::string sha256;
    std::vector<std::string> recipients;
    std::int64_t deposited = 0;
    std::optional<std::int64_t> replaced;  // when another one took its place
    bool kept = true;  // lies in the store under a name of its own: false where only former versions have it
    template <class Fields>
    void fields(Fields& f) {
        f("subkey", subkey, fingerprint_text);
        f("sequence", sequence, Range{0, INT64_C(1) << 40});
        f("sha256", sha256, sha256_text);
        f("recipients", recipients, Many<Text>{16, fingerprint_text});
        f("deposited", deposited, any_time);
        f("replaced", replaced, any_time);
        f("kept", kept);
    }
};

struct EscrowIndex {
    std::string format = "strongroom-escrow-index";
    std::int64_t version = 1;
    std::string server;
    std::int64_t made = 0;
    std::int64_t sequence = 0;          // of changes of the recovery keys
    std::vector<std::string> recovery;  // pinned now
    std::vector<IndexedRecord> records;
    template <class Fields>
    void fields(Fields& f) {
        f("format", format, Text{64});
        f("version", version, Range{1, 1});
        f("server", server, uuid_text);
        f("made", made, any_time);
        f("sequence", sequence, Range{0, INT64_C(1) << 40});
        f("recovery", recovery, Many<Text>{16, fingerprint_text});
        f("records", records, Many<Nested>{20'000, {}});
    }
};

// The text, then its detached signature.
void write_escrow_index(storage::ObjectStore& store, const EscrowIndex& index, const gpg::Home& home,
                        const std::string& identity);

// None if the store has none. Throws Error{crypto} unless one of the server's identity keys signed it,
// Error{corrupt} if it is of another server.
std::optional<EscrowIndex> read_escrow_index(storage::ObjectStore& store, const std::string& server,
                                             const Signers& signers);

}  // namespace strongroom::backupset
