#include "common/backupset/segment_reader.hpp"

#include "common/backupset/layout.hpp"
#include "common/base/encoding.hpp"

namespace strongroom::backupset {

const char* const take_other_copy =
    "Restore an older set with --set, or copy this object from another copy of the store.";

bool is_about_the_data(ErrorKind kind) {
    return kind == ErrorKind::corrupt || kind == ErrorKind::crypto || kind == ErrorKind::not_found ||
           kind == ErrorKind::protocol;
}

Error about_segment(const Error& error, const Manifest& manifest, const Segment& segment) {
    const std::string key = segment_key(manifest.server, manifest.set, segment.index);
    const std::string text = "segment " + std::to_string(segment.index) + " (" + key + "): " + error.text();
    if (is_about_the_data(error.kind())) return Error(ErrorKind::corrupt, text, take_other_copy);
    return Error(error.kind(), text, error.hint());
}

void fetch_verified(const Manifest& manifest, storage::ObjectStore& store, const Segment& segment,
                    MemFile& stored) {
    const auto expected = static_cast<std::size_t>(segment.stored_size);
    store.get_into(segment_key(manifest.server, manifest.set, segment.index), expected, stored);
    if (stored.size() != expected)
        throw Error(ErrorKind::corrupt, "it has " + std::to_string(stored.size()) + " bytes instead of " +
                                            std::to_string(expected));
    if (sha256_hex(stored.view()) != segment.sha256)
        throw Error(ErrorKind::corrupt, "its SHA-256 digest is not the one that the manifest signs");
}

Progress progress_of(const Manifest& manifest, const char* stage) {
    Progress progress;
    progress.stage = stage;
    progress.total_bytes = manifest.plain_total;
    return progress;
}

void advance(Progress& progress, const Segment& segment, const OnProgress& on_progress) {
    progress.plain_bytes += segment.plain_size;
    progress.stored_bytes += segment.stored_size;
    progress.segments += 1;
    if (on_progress) on_progress(progress);
}

}  // namespace strongroom::backupset
