// Sealed messages (PROTOCOL.md sections 2 and 3): JSON, signed by the sender and encrypted to the receiver.
//
// All functions are stateless and may be called from any thread. Each starts two gpg processes. They throw
// Error{unauthenticated} when it is not proven who sent it, Error{protocol} for anything else that breaks
// PROTOCOL.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"
#include "common/base/json_fields.hpp"
#include "common/gpg/home.hpp"

namespace strongroom::proto {

inline constexpr std::int64_t protocol_version = 1;
inline constexpr std::size_t max_message = 1U << 20U;  // sealed or decrypted
inline constexpr std::size_t max_json = 900'000;
inline constexpr std::chrono::minutes time_window{10};
inline constexpr std::chrono::minutes seen_ids_kept{30};

struct InReplyTo {
    std::string id;
    std::string digest;
    template <class Fields>
    void fields(Fields& f) {
        f("id", id, uuid_text);
        f("digest", digest, sha256_text);
    }
};

// The JSON object of section 2.
struct Header {
    std::string type;
    std::string from;
    std::string to;
    std::string id;
    UtcTime time;
    std::optional<InReplyTo> re;
    // The dispatcher's newest key: in a request that the sender has pinned, in a reply that there is.
    std::optional<std::string> key{};
};

struct Message {
    Header header;
    Json body;
    Bytes json;  // the exact signed bytes; digest() identifies the message
    std::string digest() const;
};

// One end of a conversation: a home with exactly one relevant key, and that key's primary fingerprint.
struct Party {
    gpg::Home home;
    std::string fingerprint;
    std::vector<std::string> others{};  // that the home holds and that messages may be for, too
};

// Encodes header and body to the exact bytes that are signed. Throws Error{protocol} if they are over
// max_json.
Message encode(Header header, Json body);
// The inverse: steps 6 of section 3.
Message decode(BytesView json);

// Signs message.json as `sender` (own secret key) and encrypts it to `receiver` (its public key).
Bytes seal(const Message& message, const Party& sender, const Party& receiver);

// Steps 2 to 8: opened by `receiver` (own secret key), proven to come from `sender`, fresh by `clock`.
// Step 9 (seen ids) and 10 (authorisation) are the caller's.
Message open(BytesView sealed, const Party& receiver, const Party& sender, const Clock& clock);

// Steps 2 to 4 for a registration: the signed OpenPGP message inside, and its unverified JSON.
struct Unverified {
    Bytes signed_message;
    Message claimed;
};
Unverified open_unverified(BytesView sealed, const Party& receiver);
// Steps 5 to 8 on it, once the claimed key was inspected and stands in `sender.home`.
Message verify(const Unverified& unverified, const Party& receiver, const Party& sender, const Clock& clock);

// A reply's header: bound to the request by id and digest. `type` is the request's with ".reply".
Header reply_header(const Message& request, const Clock& clock);
Message error_reply(const Message& request, const Error& error, const Clock& clock);

// Throws Error{protocol} unless `reply` answers exactly `request`; throws the carried Error if it is an
// `error`.
void require_reply_to(const Message& reply, const Message& request);

}  // namespace strongroom::proto
