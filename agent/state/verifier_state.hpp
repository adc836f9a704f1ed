// verifiers.json: the hosts that this one's owner lets open its sets, to prove them (agent/verifiers).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/json_fields.hpp"
#include "proto/message_parts.hpp"

namespace strongroom::agent {

struct PinnedVerifier {
    std::string fingerprint;  // of its identity key
    std::string name;         // of that key; foreign text
    std::int64_t since = 0;   // UTC ms
    template <class Fields>
    void fields(Fields& f) {
        f("fingerprint", fingerprint, fingerprint_text);
        f("name", name, Text{256});
        f("since", since, any_time);
    }
};

struct VerifierState {
    std::vector<PinnedVerifier> verifiers;
    template <class Fields>
    void fields(Fields& f) {
        f("verifiers", verifiers, Many<Nested>{proto::max_verifiers, {}});
    }
};

}  // namespace strongroom::agent
