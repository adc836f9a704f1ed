// The body of POST /v1/messages before and after decryption: packet framing, the one allowed shape, and from
// there to a message. gpg itself is not run.
#include "common/gpg/packets.hpp"
#include "proto/sealed.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace strongroom::fuzz {
namespace {

// The packet in the new format with one definite length: the canonical way to write it.
void write_packet(const gpg::Packet& packet, Bytes& out) {
    out += static_cast<char>(0xC0 | packet.tag);
    out += '\xFF';
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(packet.body.size() >> shift & 0xFFU);
    out += packet.body;
}

void read_signed(BytesView input) {
    Bytes payload;
    if (!accepts([&] { payload = gpg::signed_message_payload(input); })) return;
    require(payload.size() < input.size(), "a payload is shorter than its message");
    require(accepts([&] { gpg::read_packets(input, 8); }), "a signed message has good packets");
    std::optional<proto::Message> message;
    accepts([&] { message = proto::decode(payload); });
    if (message) require(message->json == payload, "a message keeps the bytes that were signed");
}

}  // namespace

void fuzz(BytesView input) {
    read_signed(input);
    std::vector<gpg::Packet> packets;
    const bool good = accepts([&] { packets = gpg::read_packets(input, 32); });
    const bool sealed = accepts([&] { gpg::require_sealed_shape(input); });
    if (sealed) {
        require(good && packets.size() >= 2, "a sealed message has good packets");
        require(packets.back().tag == gpg::tag_integrity_protected,
                "a sealed message is integrity protected");
        for (std::size_t i = 0; i + 1 < packets.size(); ++i)
            require(packets[i].tag == gpg::tag_public_key_session, "a sealed message opens with keys only");
    }
    if (!good) return;
    std::size_t bytes = 0;
    Bytes canonical;
    for (const auto& packet : packets) {
        bytes += packet.body.size() + 1;
        write_packet(packet, canonical);
    }
    require(packets.size() <= 32 && bytes <= input.size(), "packets are no larger than their message");
    const auto again = gpg::read_packets(canonical, 32);
    require(again.size() == packets.size(), "written again, it has as many packets");
    for (std::size_t i = 0; i < packets.size(); ++i)
        require(again[i].tag == packets[i].tag && again[i].body == packets[i].body, "... and the same ones");
    require(sealed == accepts([&] { gpg::require_sealed_shape(canonical); }), "... of the same shape");
}

}  // namespace strongroom::fuzz
