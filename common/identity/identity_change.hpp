// The change of a server's identity key (PROTOCOL.md section 6, docs/format.md section 8): one statement with
// three proofs, each of them an OpenPGP signed message over the very same bytes:
//
//   current   by the identity key until then: it names its successor
//   next      by the successor: whoever made the statement has its secret
//   approval  by a recovery key of the server's user: without it nobody follows
//
// So neither the host alone (its old key may be in a thief's hands) nor the user, a dispatcher or a store
// alone can change what a server is known by.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/statement/statement.hpp"

namespace strongroom {

inline constexpr std::int64_t max_identity_changes = 100;  // of a server

struct IdentityStatement {
    static constexpr const char* format = "strongroom-identity";
    static constexpr std::int64_t version = 1;
    static constexpr std::size_t max_key = 32U << 10U;
    static constexpr std::size_t max_json = 48U << 10U;
    std::string server;
    std::int64_t sequence = 0;  // 1 for the first change, then one more each
    std::string current;        // fingerprint of the identity key until then
    std::string next;           // fingerprint of `public_key`
    std::string public_key;     // armored
    std::int64_t made = 0;
    std::int64_t expires =
        0;  // the change is made before, or not at all: no set begun later is the old key's
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("sequence", sequence, Range{1, max_identity_changes});
        f("current", current, fingerprint_text);
        f("next", next, fingerprint_text);
        f("public_key", public_key, Text{max_key, nullptr, "text", true});
        f("made", made, any_time);
        f("expires", expires, any_time);
    }
};

inline constexpr std::size_t max_identity_statement = IdentityStatement::max_json + statement_overhead;

// As it is kept and carried. Having it proves nothing.
struct IdentityChange {
    Bytes current;
    Bytes next;
    Bytes approval;      // empty: not approved yet
    Bytes approver_key;  // public key of the recovery key that signed it
    bool operator==(const IdentityChange&) const = default;
};

// What it says, before any signature is looked at. Throws Error{protocol} or Error{crypto} unless all its
// parts hold the same bytes.
IdentityStatement claim_of(const IdentityChange& change);

// Both keys' signatures. `home` holds the public key of the statement's `current`; its `next` is imported
// there once its own signature is good in a throw-away home. Throws Error{unauthenticated} if a signature is
// missing or another key's, Error{crypto} if the new key cannot be used, Error{protocol} for the content.
IdentityStatement verify_keys(const IdentityChange& change, const gpg::Home& home);

// Whether a key is one of the user's own: whose word counts.
using AcceptsApprover = std::function<bool(const std::string& fingerprint)>;

// The approval: signed by the key that is brought, and that is accepted. Returns its fingerprint. Throws
// Error{unauthenticated} without an approval or if it is not signed by that key, Error{refused} if that key
// is not accepted.
std::string verify_approval(const IdentityChange& change, const AcceptsApprover& accepts);

}  // namespace strongroom
