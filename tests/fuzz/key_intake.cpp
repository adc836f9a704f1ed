// A foreign public key as it arrives: armor and packets, before gpg sees it.
#include "common/base/encoding.hpp"
#include "common/gpg/key_shape.hpp"
#include "common/gpg/packets.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace strongroom::fuzz {
namespace {

Bytes armored(BytesView key) {
    Bytes out = "-----BEGIN PGP PUBLIC KEY BLOCK-----\r\nComment: again\r\n\r\n";
    const std::string base64 = to_base64(key);
    for (std::size_t at = 0; at < base64.size(); at += 64) out += base64.substr(at, 64) + "\r\n";
    return out + "-----END PGP PUBLIC KEY BLOCK-----\r\n";
}

}  // namespace

void fuzz(BytesView input) {
    Bytes key;
    if (!accepts([&] { key = gpg::require_public_key_shape(input); })) return;
    const auto packets = gpg::read_packets(key, 1U << 16U);
    require(!packets.empty() && packets.front().tag == gpg::tag_public_key, "a key starts with its primary");
    std::size_t primaries = 0;
    for (const auto& packet : packets) {
        primaries += packet.tag == gpg::tag_public_key ? 1U : 0U;
        require(packet.tag != gpg::tag_secret_key && packet.tag != gpg::tag_secret_subkey,
                "no secret packet");
    }
    require(primaries == 1, "one primary key");
    require(gpg::require_public_key_shape(key) == key, "binary, it is taken as it is");
    require(gpg::require_public_key_shape(armored(key)) == key, "armored, it is the same key");
}

}  // namespace strongroom::fuzz
