// The change of the dispatcher's key: a statement by the old one (PROTOCOL.md section 6), and how statements
// travel: GET /v1/keys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/json_fields.hpp"
#include "proto/statement.hpp"

namespace strongroom::proto {

// "After me speaks `next`." Signed by `current`. Nothing but a public key comes with it (S5).
struct KeyStatement {
    static constexpr const char* format = "strongroom-dispatcher-key";
    static constexpr std::int64_t version = 1;
    static constexpr std::size_t max_key = 32U << 10U;
    static constexpr std::size_t max_json = 48U << 10U;
    std::int64_t sequence = 0;  // 1 for the first change, then one more each
    std::string current;        // fingerprint of the signer
    std::string next;           // fingerprint of `public_key`
    std::string public_key;     // armored
    std::int64_t made = 0;
    template <class Fields>
    void fields(Fields& f) {
        f("sequence", sequence, Range{1, 100'000});
        f("current", current, fingerprint_text);
        f("next", next, fingerprint_text);
        f("public_key", public_key, Text{max_key, nullptr, "text", true});
        f("made", made, any_time);
    }
};

inline constexpr std::size_t max_key_statement = KeyStatement::max_json + statement_overhead;

// The answer of GET /v1/keys?from=FINGERPRINT: the statement that FINGERPRINT signed and those after it, as
// many as fit. It is not signed: each statement proves itself.
struct KeyStatements {
    static constexpr std::size_t most = 8;
    static constexpr std::size_t max_json = 900'000;
    std::vector<std::string> statements;  // base64
    template <class Fields>
    void fields(Fields& f) {
        f("statements", statements, Many<Text>{most, Text{(max_key_statement + 2) / 3 * 4}});
    }
};

}  // namespace strongroom::proto
