// The identity keys of one server, followed from the one that a reader trusts, through verified changes, to
// the newest. What a store or a dispatcher shows is only shown: each step must prove itself.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/gpg/home.hpp"
#include "common/identity/identity_change.hpp"

namespace strongroom {

// As a store or a dispatcher shows it.
struct ShownIdentities {
    std::string server;
    std::string origin;                   // for people
    Bytes public_key;                     // of the identity in use: agent.asc
    std::vector<IdentityChange> changes;  // approved ones, by sequence from 1
    std::vector<Bytes> keys;              // public keys of former identities
    std::optional<IdentityChange> pending;
};

class Identities {
  public:
    struct Member {
        std::string fingerprint;
        std::optional<std::int64_t> until;  // of a former one: it signs no set that was begun later
    };
    // A change that leads from the trusted key to the newest.
    struct Step {
        IdentityStatement statement;
        std::string approver;
    };

    // From `trusted`, a fingerprint that the reader knows by itself. Forward: each step is signed by the key
    // before it and by the new one, and approved by a key that `accepts` takes. Backward, to the keys before
    // `trusted`: by both keys. Throws Error{refused} with what does not hold (no way from the trusted key, a
    // gap, a fork, another server, a missing or forged signature or approval), Error{crypto} if `trusted`'s
    // own public key is not shown.
    static Identities follow(const ShownIdentities& shown, const std::string& trusted,
                             const AcceptsApprover& accepts);

    const gpg::Home& home() const { return home_->home(); }          // with the public keys of all
    std::shared_ptr<const void> owner() const { return home_; }      // of that home, while it is used
    const std::vector<Member>& members() const { return members_; }  // the newest first
    const std::vector<Step>& steps() const { return steps_; }        // after the trusted one, in order
    const std::string& newest() const { return members_.front().fingerprint; }
    const std::string& trusted() const { return trusted_; }
    bool contains(const std::string& fingerprint) const;
    std::vector<std::string> fingerprints() const;
    // Of public keys shown, the one of the identity in use; perhaps not the newest yet.
    const std::string& shown() const { return shown_; }

  private:
    Identities() : home_(std::make_shared<gpg::TempHome>(gpg::HomeFor::public_keys)) {}

    std::shared_ptr<gpg::TempHome> home_;
    std::vector<Member> members_;
    std::vector<Step> steps_;
    std::string trusted_;
    std::string shown_;
};

}  // namespace strongroom
