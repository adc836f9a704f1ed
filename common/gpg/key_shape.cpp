#include "common/gpg/key_shape.hpp"

#include <algorithm>
#include <cstdint>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/gpg/packets.hpp"

namespace strongroom::gpg {
namespace {

constexpr std::size_t max_packets = 4096;  // a key of 64 KiB with many signatures has a few hundred

[[noreturn]] void refuse(const std::string& text) {
    throw Error(ErrorKind::crypto, text,
                "Export a single key by its full fingerprint: gpg --armor --export FINGERPRINT");
}

[[noreturn]] void refuse_secret() {
    throw Error(ErrorKind::crypto, "the file holds secret key material",
                "Export the public key only: gpg --armor --export FINGERPRINT");
}

// The next line without its line break and blanks at its end.
BytesView take_line(BytesView& text) {
    const auto end = std::min(text.find('\n'), text.size());
    BytesView line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
        line.remove_suffix(1);
    return line;
}

std::uint32_t crc24(BytesView bytes) {  // RFC 4880, section 6.1
    std::uint32_t crc = 0xB704CEU;
    for (const char c : bytes) {
        crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 16U;
        for (int i = 0; i < 8; ++i) {
            crc <<= 1U;
            if ((crc & 0x1000000U) != 0) crc ^= 0x1864CFBU;
        }
    }
    return crc & 0xFFFFFFU;
}

void require_checksum(BytesView line, BytesView bytes) {
    const std::uint32_t crc = crc24(bytes);
    const Bytes raw{static_cast<char>(crc >> 16U), static_cast<char>(crc >> 8U), static_cast<char>(crc)};
    if (line != "=" + to_base64(raw)) refuse("the key's armor has a wrong checksum");
}

Bytes remove_armor(BytesView text) {
    constexpr BytesView begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    constexpr BytesView end = "-----END PGP PUBLIC KEY BLOCK-----";
    BytesView line;
    while (!text.empty() && line.empty()) line = take_line(text);
    if (line == "-----BEGIN PGP PRIVATE KEY BLOCK-----") refuse_secret();
    if (line != begin) refuse("the file is not an OpenPGP public key");
    while (!(line = take_line(text)).empty())  // "Version: ...", "Comment: ..."
        if (line.find(": ") == BytesView::npos) refuse("the key's armor has no blank line after its header");
    Bytes base64;
    BytesView checksum;
    while ((line = take_line(text)) != end) {
        if (line.empty() || !checksum.empty()) refuse("the key's armor is broken or cut off");
        if (line.front() == '=')
            checksum = line;
        else
            base64 += line;
    }
    while (!text.empty()) {
        line = take_line(text);
        if (line == begin) refuse("the file must hold exactly one public key, and holds several");
        if (!line.empty()) refuse("the file holds more than a public key");
    }
    Bytes out;
    try {
        out = from_base64(base64);
    } catch (const Error&) {
        refuse("the key's armor is broken");
    }
    if (!checksum.empty()) require_checksum(checksum, out);
    return out;
}

}  // namespace

Bytes require_public_key_shape(BytesView key) {
    if (key.empty()) refuse("the key is empty");
    const bool binary = (static_cast<unsigned char>(key.front()) & 0x80U) != 0;
    Bytes bytes = binary ? Bytes(key) : remove_armor(key);
    const auto packets = read_packets(bytes, max_packets);
    const auto count = [&](int tag) { return std::ranges::count(packets, tag, &Packet::tag); };
    if (count(tag_secret_key) + count(tag_secret_subkey) > 0) refuse_secret();
    const auto keys = count(tag_public_key);
    if (keys != 1) refuse("the file must hold exactly one public key, and holds " + std::to_string(keys));
    if (packets.front().tag != tag_public_key) refuse("the file does not begin with a public key");
    for (const auto& packet : packets)
        if (packet.tag != tag_public_key && packet.tag != tag_user_id && packet.tag != tag_public_subkey &&
            packet.tag != tag_signature && packet.tag != tag_user_attribute)
            refuse("the file holds an OpenPGP packet that is no part of a public key (tag " +
                   std::to_string(packet.tag) + ")");
    return bytes;
}

}  // namespace strongroom::gpg
