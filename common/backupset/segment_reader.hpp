// Stored objects of a set, read and compared with what its signed manifest says. Without a key.
#pragma once

#include <string>

#include "common/backupset/manifest.hpp"
#include "common/backupset/streams.hpp"
#include "common/base/error.hpp"
#include "common/base/mem_file.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// What to do about a damaged object.
extern const char* const take_other_copy;

// Damage, as against a store that does not answer: asking again cannot help.
bool is_about_the_data(ErrorKind kind);

// The same error, naming the segment and its object; damage of every kind becomes Error{corrupt}.
Error about_segment(const Error& error, const Manifest& manifest, const Segment& segment);

// The stored bytes of one segment, of the size and with the SHA-256 that the manifest signs. Throws
// Error{corrupt} for others, Error{not_found} for a missing object, and what the store throws. May be called
// from any thread.
void fetch_verified(const Manifest& manifest, storage::ObjectStore& store, const Segment& segment,
                    MemFile& stored);

// The progress of a stage that goes through all segments of a set, before the first one, and after each.
Progress progress_of(const Manifest& manifest, const char* stage);
void advance(Progress& progress, const Segment& segment, const OnProgress& on_progress);

}  // namespace strongroom::backupset
