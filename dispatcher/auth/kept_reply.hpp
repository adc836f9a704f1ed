// A reply as the store keeps it for repetitions (PROTOCOL.md section 3, step 9).
//
// A reply can hold a secret: a registration code. So the database never holds its text: it is encrypted
// (AES-256-GCM) under a key that follows from what the sender shows to the gate, its token, of which the
// database knows the hash alone. Who repeats a message shows the token again, and gets the same JSON bytes.
// (A registrant shows its code's hash, which the database does know; the reply to it holds nothing secret.)
#pragma once

#include <string>
#include <string_view>

#include "common/base/bytes.hpp"

namespace strongroom::dispatcher {

class ReplyKey {
  public:
    ReplyKey() = default;
    // `credential`: the token or the code's hash.
    explicit ReplyKey(std::string_view credential);

    // `digest` is the request's: the reply to one request never stands for another's.
    Bytes encrypt(std::string_view digest, BytesView reply) const;
    // Throws Error{corrupt} unless encrypt() of the same key and digest made it.
    Bytes decrypt(std::string_view digest, BytesView kept) const;

  private:
    std::string key_;
};

}  // namespace strongroom::dispatcher
