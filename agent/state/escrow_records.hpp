// What the agent remembers of its escrow: who may open it, and which records it deposited.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/json_fields.hpp"

namespace strongroom::agent {

inline constexpr std::size_t max_recovery_keys = 16;

// recovery.json: the recovery keys that are pinned now. Missing until they are changed for the first time:
// then those of agent.json are pinned, with sequence 0. Every change is one atomic write.
struct RecoveryChange {
    std::int64_t sequence = 0;  // of the set that it made
    std::int64_t time = 0;
    std::string by;  // "host", or the fingerprint of the recovery key that signed it
    std::vector<std::string> added;
    std::vector<std::string> removed;
    std::vector<std::string> renewed;      // pinned before and after, with a newer public key
    std::optional<std::string> statement;  // SHA-256 of the one that asked for it
    template <class Fields>
    void fields(Fields& f) {
        f("sequence", sequence, Range{1, INT64_C(1) << 40});
        f("time", time, any_time);
        f("by", by, Text{64});
        f("added", added, Many<Text>{max_recovery_keys, fingerprint_text});
        f("removed", removed, Many<Text>{max_recovery_keys, fingerprint_text});
        f("renewed", renewed, Many<Text>{max_recovery_keys, fingerprint_text});
        f("statement", statement, sha256_text);
    }
};
struct RecoveryState {
    std::int64_t sequence = 0;      // of changes: 0 as registered
    std::vector<std::string> keys;  // fingerprints: the only escrow recipients
    std::vector<RecoveryChange> changes;
    template <class Fields>
    void fields(Fields& f) {
        f("sequence", sequence, Range{0, INT64_C(1) << 40});
        f("keys", keys, Many<Text>{max_recovery_keys, fingerprint_text});
        f("changes", changes, Many<Nested>{1000, {}});
    }

    bool pins(const std::string& fingerprint) const;
};

// One escrow record that was deposited. A side that failed has no time.
struct Deposit {
    std::string subkey;
    std::string sha256;
    std::vector<std::string> recipients;
    std::optional<std::int64_t> at_dispatcher;
    std::optional<std::int64_t> in_store;
    std::optional<std::int64_t> sequence;  // of the recovery keys that it is for; none: 0
    std::optional<std::int64_t> replaced;  // when a record for other recovery keys took its place
    std::optional<std::int64_t> kept;      // when the store got a copy of it under a name of its own
    template <class Fields>
    void fields(Fields& f) {
        f("subkey", subkey, fingerprint_text);
        f("sha256", sha256, sha256_text);
        f("recipients", recipients, Many<Text>{max_recovery_keys, fingerprint_text});
        f("at_dispatcher", at_dispatcher, any_time);
        f("in_store", in_store, any_time);
        f("sequence", sequence, Range{0, INT64_C(1) << 40});
        f("replaced", replaced, any_time);
        f("kept", kept, any_time);
    }
};

// escrow.json: the last deposit of the subkey in use (or of the one that a rotation is about to use), and
// what was deposited besides: of older subkeys, and before the recovery keys were changed.
struct EscrowState : Deposit {
    std::optional<std::vector<Deposit>> older;       // in force, of older subkeys
    std::optional<std::vector<Deposit>> superseded;  // oldest first
    template <class Fields>
    void fields(Fields& f) {
        Deposit::fields(f);
        f("older", older, Many<Nested>{10'000, {}});
        f("superseded", superseded, Many<Nested>{10'000, {}});
    }

    // The record in force of this subkey, or nullptr.
    const Deposit* find(const std::string& of_subkey) const;
    // The one with these bytes, in force or not, or nullptr.
    Deposit* find_record(const std::string& of_subkey, const std::string& digest);
    // Takes the place of what is known of the same subkey; what was for other recovery keys is kept as
    // superseded. `is_older`: of a subkey that is no longer in use.
    void note(const Deposit& deposit, bool is_older, std::int64_t now);
};

}  // namespace strongroom::agent
