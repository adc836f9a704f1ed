// source -> cut into segments -> N workers: [ zstd -> gpg -> SHA-256 -> store.put ] -> signed manifest =
// commit
//
// Each worker reads the next slice of the source under a lock (which also numbers it) and compresses it,
// while the segment that it compressed before is encrypted, digested and stored: a worker's core is never
// idle while gpg, a disk or a network takes its time. The envelope is made and stored while the first
// segments are read; manifest and signature come last. Each worker holds one plain, two compressed and one
// encrypted segment, in memory that it uses again: whatever the size of the database, the whole is at most
// workers x 4 x segment_size, and less by what compression saves. A store that more connections than workers
// serve best (ObjectStore::transfers_for) adds an encrypted segment for each of them. A slow store slows the
// source down through its pipe.
#pragma once

#include <optional>
#include <string>

#include "common/backupset/manifest.hpp"
#include "common/backupset/streams.hpp"
#include "common/backupset/verifier_envelope.hpp"
#include "common/base/clock.hpp"
#include "common/gpg/bulk_cipher.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

struct SealOptions {
    std::string server;    // UUID
    std::string identity;  // fingerprint of the identity key in `home`: signs the manifest, its subkey gets
                           // the envelope
    // The decryption subkey that the envelope is encrypted to; empty: the newest of `identity`. Whoever
    // rotates names it: a subkey that is made but not yet in escrow must not get an envelope.
    std::string subkey;
    std::optional<Verifiers> verifiers{};  // hosts that get an envelope of their own
    std::optional<std::string> parent;     // the set that this increment builds on; none: a full set
    // Of a piece of a binary log, whose set has a log id; `parent` is then the piece before it.
    std::optional<LogPart> log{};
    std::string stream;    // "xbstream", "sql", "tar", "raw"
    bool partial = false;  // a dump of some databases or tables only
    std::string source_tool;
    std::string source_version;
    std::string compression = "zstd";
    int level = 1;  // zstd level, 1..19
    std::int64_t segment_size = default_segment_size;
    int workers = 0;                  // 0: one per core
    std::int64_t expected_bytes = 0;  // estimate for progress; 0 if not known
};

// Writes one backup set and returns its manifest after the commit. On any failure: the source is aborted, the
// set's objects are removed as far as the store allows, nothing lists as a backup, and the error says which
// stage failed (its text starts with "source: ", "compress: ", "encrypt: ", "store: " or "commit: "). `set`
// is a fresh id from make_set_id(). Thread-safe for different sets.
Manifest seal(const SealOptions& options, const std::string& set, Source& source, storage::ObjectStore& store,
              const gpg::Home& home, const Clock& clock, const OnProgress& on_progress = {});

}  // namespace strongroom::backupset
