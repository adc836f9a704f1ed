#include "common/gpg/packets.hpp"

#include <algorithm>
#include <string>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"

namespace strongroom::gpg {
namespace {

class Cursor {
  public:
    explicit Cursor(BytesView bytes) : bytes_(bytes) {}
    bool done() const { return bytes_.empty(); }
    unsigned byte() { return static_cast<unsigned char>(take(1)[0]); }
    std::size_t number(int octets) {
        std::size_t value = 0;
        for (int i = 0; i < octets; ++i) value = (value << 8U) | byte();
        return value;
    }
    BytesView take(std::size_t count) {
        if (count > bytes_.size()) throw Error(ErrorKind::crypto, "the OpenPGP message is cut off");
        const BytesView out = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return out;
    }

  private:
    BytesView bytes_;
};

// Section 4.2.2: new format lengths; partial body lengths are joined.
void read_new_body(Cursor& cursor, Bytes& body) {
    for (;;) {
        const unsigned first = cursor.byte();
        if (first < 192) {
            body += cursor.take(first);
            return;
        }
        if (first < 224) {
            body += cursor.take(((first - 192) << 8U) + cursor.byte() + 192);
            return;
        }
        if (first == 255) {
            body += cursor.take(cursor.number(4));
            return;
        }
        body += cursor.take(std::size_t{1} << (first & 0x1FU));
    }
}

}  // namespace

std::vector<Packet> read_packets(BytesView message, std::size_t max_packets) {
    Cursor cursor(message);
    std::vector<Packet> out;
    while (!cursor.done()) {
        if (out.size() == max_packets)
            throw Error(ErrorKind::crypto, "the OpenPGP message has too many packets");
        const unsigned header = cursor.byte();
        if ((header & 0x80U) == 0) throw Error(ErrorKind::crypto, "not a binary OpenPGP message");
        Packet packet{0, {}};
        if ((header & 0x40U) != 0) {
            packet.tag = static_cast<int>(header & 0x3FU);
            read_new_body(cursor, packet.body);
        } else {
            packet.tag = static_cast<int>((header >> 2U) & 0x0FU);
            const unsigned length_type = header & 3U;
            if (length_type == 3)
                throw Error(ErrorKind::crypto, "an OpenPGP packet has no length (compressed data?)");
            packet.body = cursor.take(cursor.number(1 << length_type));
        }
        out.push_back(std::move(packet));
    }
    return out;
}

Bytes signed_message_payload(BytesView message) {
    // gpg writes a compressed packet without a length, so it is recognised by its first byte.
    if (!message.empty() && (static_cast<unsigned char>(message[0]) & 0xFCU) == 0xA0U)
        throw Error(ErrorKind::crypto, "the message is compressed, which the protocol refuses",
                    "Use gpg with -z 0.");
    const auto packets = read_packets(message, 8);
    const auto count = [&](int tag) { return std::ranges::count(packets, tag, &Packet::tag); };
    if (count(tag_compressed) > 0)
        throw Error(ErrorKind::crypto, "the message is compressed, which the protocol refuses",
                    "Use gpg with -z 0.");
    if (count(tag_signature) == 0) throw Error(ErrorKind::crypto, "the message is not signed");
    if (count(tag_signature) > 1) throw Error(ErrorKind::crypto, "the message has more than one signature");
    if (packets.size() != 3 || packets[0].tag != tag_one_pass_signature || packets[1].tag != tag_literal ||
        packets[2].tag != tag_signature)
        throw Error(ErrorKind::crypto, "the message is not one signed OpenPGP message");
    // Section 5.9: format, file name length, file name, date, data.
    Cursor literal(packets[1].body);
    literal.byte();
    literal.take(literal.byte());
    literal.take(4);
    const std::size_t header = 6 + static_cast<unsigned char>(packets[1].body[1]);
    return packets[1].body.substr(header);
}

void require_sealed_shape(BytesView message) {
    const auto packets = read_packets(message, 32);
    if (packets.size() < 2) throw Error(ErrorKind::crypto, "not an encrypted OpenPGP message");
    for (std::size_t i = 0; i + 1 < packets.size(); ++i)
        if (packets[i].tag != tag_public_key_session)
            throw Error(ErrorKind::crypto, "not an OpenPGP message encrypted to public keys only");
    if (packets.back().tag != tag_integrity_protected)
        throw Error(ErrorKind::crypto, "the OpenPGP message has no integrity protection");
}

std::vector<std::string> recipient_key_ids(BytesView message) {
    require_sealed_shape(message);
    auto packets = read_packets(message, 32);
    packets.pop_back();
    std::vector<std::string> out;
    for (const auto& packet : packets) {  // section 5.1: version, key id, algorithm, numbers
        constexpr std::size_t head = 1 + 8;
        if (packet.body.size() <= head || packet.body[0] != 3)
            throw Error(ErrorKind::crypto, "an OpenPGP session key packet of an unknown version");
        std::string id = to_hex(BytesView(packet.body).substr(1, 8));
        std::ranges::transform(id, id.begin(),
                               [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
        out.push_back(std::move(id));
    }
    return out;
}

std::string key_id_of(const std::string& fingerprint) {
    return fingerprint.size() < 16 ? fingerprint : fingerprint.substr(fingerprint.size() - 16);
}

}  // namespace strongroom::gpg
