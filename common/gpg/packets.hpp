// The framing of OpenPGP packets (RFC 4880, section 4.2): which packets a message is made of, before gpg
// reads it. No cryptography here: it only lets us refuse shapes that PROTOCOL.md does not allow.
#pragma once

#include <string>
#include <vector>

#include "common/base/bytes.hpp"

namespace strongroom::gpg {

struct Packet {
    int tag;
    Bytes body;  // partial lengths joined
};

inline constexpr int tag_public_key_session = 1;
inline constexpr int tag_signature = 2;
inline constexpr int tag_one_pass_signature = 4;
inline constexpr int tag_secret_key = 5;
inline constexpr int tag_secret_subkey = 7;
inline constexpr int tag_compressed = 8;
inline constexpr int tag_literal = 11;
inline constexpr int tag_integrity_protected = 18;

// All packets of a binary message. Throws Error{crypto} if the framing is broken, a length is indeterminate,
// or there are more than `max_packets`.
std::vector<Packet> read_packets(BytesView message, std::size_t max_packets);

// Exactly: one-pass signature, literal data, signature. Returns the literal text. Throws Error{crypto} that
// says how the message differs: not signed, two signatures, compressed.
Bytes signed_message_payload(BytesView message);

// The shape of a sealed message: one or more session key packets, then one integrity protected packet,
// nothing else.
void require_sealed_shape(BytesView message);

// The key ids (16 hexadecimal digits: the last ones of the subkey's fingerprint) that a message of that shape
// says it is encrypted to, in its order. What is written there is a claim until the message was decrypted.
std::vector<std::string> recipient_key_ids(BytesView message);

// The key id of a fingerprint.
std::string key_id_of(const std::string& fingerprint);

}  // namespace strongroom::gpg
