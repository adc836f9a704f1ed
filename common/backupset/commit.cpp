#include "common/backupset/commit.hpp"

#include "common/backupset/layout.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::backupset {

void commit_manifest(Manifest& manifest, const gpg::Home& home, const std::string& identity,
                     storage::ObjectStore& store, const Clock& clock) {
    manifest.plain_total = 0;
    manifest.stored_total = 0;
    for (const Segment& segment : manifest.segments) {
        manifest.plain_total += segment.plain_size;
        manifest.stored_total += segment.stored_size;
    }
    manifest.finished = format_utc(clock.now());
    const Bytes text = encode_manifest(manifest);
    decode_manifest(text);  // what could not be read back must not be committed
    const Bytes signature = gpg::sign_detached(home, identity, text);
    store.put(manifest_key(manifest.server, manifest.set), text);
    store.put(manifest_signature_key(manifest.server, manifest.set), signature);  // now it is a backup
}

}  // namespace strongroom::backupset
