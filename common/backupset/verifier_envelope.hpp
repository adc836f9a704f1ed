// Envelopes for verifying hosts: the same data passphrase once more, encrypted to the key of a host that
// proves this server's sets by restoring them (docs/proof.md), beside the server's own. So either key changes
// without the other, and whoever restores sees what is always there.
#pragma once

#include <string>
#include <vector>

#include "common/base/secret.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// Whom the owner of a server lets open its sets, besides the server itself.
struct Verifiers {
    gpg::Home home;                         // holds their public keys
    std::vector<std::string> identities{};  // fingerprints of their primary keys
};

// One envelope for each. A key that nothing can be encrypted to, since it has expired, does not stop what is
// made: it is logged (BACKUPSET_VERIFIER_LEFT_OUT), and that host cannot prove the set. Throws what the store
// throws.
void put_verifier_envelopes(storage::ObjectStore& store, const std::string& server, const std::string& set,
                            const Secret& passphrase, const Verifiers& verifiers);

// Fingerprints for whom a set of these objects has one.
std::vector<std::string> verifiers_among(const std::vector<storage::ObjectInfo>& objects);

struct VerifierEnvelopeProblem {
    std::string set;
    std::string text;
};
struct VerifierEnvelopeResult {
    std::size_t sets = 0;     // committed ones
    std::size_t changed = 0;  // envelopes that this run wrote, or removed
    std::vector<VerifierEnvelopeProblem> problems;
};

// For all committed sets of `server` (no pieces of its log), each opened with the server's own `key_home`.
// Throws Error{crypto} for a key that nothing can be encrypted to, before the first set.
// Damage of a set is a problem in the result, and the others go on; throws what the store or gpg as a whole
// refuses.
VerifierEnvelopeResult add_verifier_envelopes(storage::ObjectStore& store, const std::string& server,
                                              const gpg::Home& key_home, const Verifiers& verifiers);
// Of one verifying host. An object that the store does not let go is a problem in the result.
VerifierEnvelopeResult remove_verifier_envelopes(storage::ObjectStore& store, const std::string& server,
                                                 const std::string& identity);

}  // namespace strongroom::backupset
