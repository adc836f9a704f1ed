// Signed statements: what one key says for good, for whoever holds that key's public part (PROTOCOL.md
// section 6). Not a message: no receiver, no time window, no reply; it is kept, copied and read again years
// later.
//
//   struct NextKey {
//       static constexpr const char* format = "strongroom-dispatcher-key";
//       static constexpr std::int64_t version = 1;
//       static constexpr std::size_t max_json = 128U << 10U;
//       std::int64_t sequence = 0;
//       template <class Fields> void fields(Fields& f) { f("sequence", sequence, Range{1, 1000}); }
//   };
//   Bytes bytes = sign_statement(own_home, fingerprint, NextKey{...});
//   NextKey read = open_statement<NextKey>(bytes, home_with_the_signers_key, fingerprint);
//
// One OpenPGP signed message (one-pass signature, literal data, signature; binary, not compressed, not
// encrypted) whose literal data is one strict JSON object: `format`, `version` and the fields of the type. So
// a statement of one kind is never taken for another, nor for a sealed message.
//
// A statement proves who said it and nothing else: that it is the newest, that it is meant for this reader,
// and that its signer may say so, is the caller's to check. Any thread.
#pragma once

#include "common/base/json_fields.hpp"
#include "common/gpg/home.hpp"

namespace strongroom {

// What a signature and its packets add to the JSON, at most.
inline constexpr std::size_t statement_overhead = 16U << 10U;

// Signs with the secret key `signer` of `home`, which may ask its owner for a passphrase. Throws
// Error{internal} if a field breaks its limit, Error{usage} if the JSON is over max_json, Error{crypto} or
// Error{interrupted} if it could not be signed.
template <class Statement>
Bytes sign_statement(const gpg::Home& home, const std::string& signer, const Statement& content);

// Opens what `signer` (its public key in `home`) said: exactly one signature, fully good, by the key
// with this full primary fingerprint. Throws Error{unauthenticated} if it is no such message or has another
// signer, Error{protocol} if its content is of another kind or version, or not exactly the fields of the
// type.
template <class Statement>
Statement open_statement(BytesView statement, const gpg::Home& home, const std::string& signer);

// The same of JSON whose signature the caller verified, or does not look at.
template <class Statement>
Statement read_statement(BytesView json);

namespace statement_detail {

Bytes sign(const gpg::Home& home, const std::string& signer, Json fields, const char* format,
           std::int64_t version, std::size_t max_json);
// The fields without `format` and `version`.
Json open(BytesView statement, const gpg::Home& home, const std::string& signer, const char* format,
          std::int64_t version, std::size_t max_json);
// The same of JSON whose signature was verified.
Json content(BytesView json, const char* format, std::int64_t version, std::size_t max_json);

}  // namespace statement_detail

template <class Statement>
Statement read_statement(BytesView json) {
    return from_json<Statement>(
        statement_detail::content(json, Statement::format, Statement::version, Statement::max_json));
}

template <class Statement>
Bytes sign_statement(const gpg::Home& home, const std::string& signer, const Statement& content) {
    return statement_detail::sign(home, signer, to_json(content), Statement::format, Statement::version,
                                  Statement::max_json);
}

template <class Statement>
Statement open_statement(BytesView statement, const gpg::Home& home, const std::string& signer) {
    return from_json<Statement>(statement_detail::open(statement, home, signer, Statement::format,
                                                       Statement::version, Statement::max_json));
}

}  // namespace strongroom
