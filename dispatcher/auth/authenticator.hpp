// Opens sealed messages: steps 2 to 8 of PROTOCOL.md section 3. Each peer's public key stands alone in its
// own small home, peers/<FPR>/; the database holds the key itself, the home is made from it when it is
// needed.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/base/clock.hpp"
#include "common/gpg/home.hpp"
#include "common/gpg/keys.hpp"
#include "dispatcher/auth/admission.hpp"
#include "dispatcher/auth/own_keys.hpp"
#include "proto/sealed.hpp"

namespace strongroom::dispatcher {

// A message whose sender is proven.
struct Authenticated {
    proto::Message message;
    proto::Party peer;  // to seal the reply to
    // For a registration: the inspected key, and the throw-away home that `peer` is in. For a deposit after a
    // rotation: the sender's inspected key alone.
    std::optional<gpg::Key> key;
    std::unique_ptr<gpg::TempHome> throw_away;
    bool former = false;  // signed by an identity key that the server had before: only a kept reply is due
};

class Authenticator {
  public:
    // `me` holds the dispatcher's secret key; `peers` is a private folder.
    Authenticator(proto::Party me, std::filesystem::path peers, const Clock& clock);
    virtual ~Authenticator() = default;

    // Any thread. Throws Error{unauthenticated}, Error{protocol}, Error{crypto}.
    virtual Authenticated open(const Admission& admission, BytesView sealed) const;

    // A message of an agent that its server's former identity key signed. Throws as open().
    Authenticated open_former(const ServerIdentityChange& last, BytesView sealed) const;

    virtual Bytes seal(const proto::Message& reply, const proto::Party& peer) const;

    // After a change of our own key; any thread. Before, there is only the one that `me` named.
    void set_keys(const OwnKeys& keys);
    proto::Party me() const;
    std::string newest_key() const;

    // A reply as it is sealed now: from the key that is current by now, with what its receiver should know of
    // the next one. All else stays as it was stored.
    proto::Message from_me(const proto::Message& reply, const proto::Message& request) const;

  private:
    proto::Party party(const std::string& fingerprint, const std::string& public_key) const;
    Authenticated open_registration(BytesView sealed, const proto::Party& me) const;
    static std::optional<gpg::Key> changed_key(const Server& server, const Json& body);

    mutable std::mutex keys_;  // me_, newest_
    proto::Party me_;
    std::string newest_;
    std::filesystem::path peers_;
    const Clock& clock_;
    mutable std::mutex making_;                            // of homes; and imported_
    mutable std::map<std::string, std::string> imported_;  // fingerprint -> digest of the key in its home
};

}  // namespace strongroom::dispatcher
