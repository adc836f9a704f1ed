// A manifest from a store. Its signature is checked first, but by a host that may be in foreign hands.
#include "common/backupset/manifest.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace strongroom::fuzz {

void fuzz(BytesView input) {
    using namespace backupset;
    Manifest manifest;
    try {
        manifest = decode_manifest(input);
    } catch (const Error& error) {
        require(error.kind() == ErrorKind::corrupt, "a manifest that is refused is corrupt");
        return;
    }
    const Bytes written = encode_manifest(manifest);
    const Manifest again = decode_manifest(written);
    require(to_json(again) == to_json(manifest), "decode(encode(x)) is x");
    require(encode_manifest(again) == written, "one manifest has one encoding");
    require(parse_json(input, max_manifest) == to_json(manifest), "nothing of it was left out");
    std::int64_t plain = 0;
    for (const auto& segment : manifest.segments) plain += segment.plain_size;
    require(plain == manifest.plain_total && !manifest.segments.empty(), "its sizes agree");
}

}  // namespace strongroom::fuzz
