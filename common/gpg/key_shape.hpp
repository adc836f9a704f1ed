// The shape of a foreign public key, before gpg reads it (S8): armor, packets, and nothing around them. No
// cryptography here.
#pragma once

#include "common/base/bytes.hpp"
#include "common/gpg/packets.hpp"

namespace strongroom::gpg {

inline constexpr int tag_public_key = 6;
inline constexpr int tag_user_id = 13;
inline constexpr int tag_public_subkey = 14;
inline constexpr int tag_user_attribute = 17;

// Exactly one primary key with its user ids, subkeys and signatures, armored or binary. Returns the binary
// packets: what was checked is what gpg reads. Throws Error{crypto} that says how the bytes differ: secret
// packets, several keys, broken or foreign armor, text around it.
Bytes require_public_key_shape(BytesView key);

}  // namespace strongroom::gpg
