// The user's servers as a person knows them, for what a reply names by UUID or key. The dispatcher is asked
// for them when the first one is looked up.
#pragma once

#include <optional>
#include <string>

#include "client/command/context.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {

class OwnServers {
  public:
    explicit OwnServers(Context& context) : context_(context) {}

    // "proofs (UUID)"; the UUID alone if it is none of them.
    std::string named(const std::string& server);
    // "FINGERPRINT, server proofs (UUID)"; says so if none of them has that key now.
    std::string named_by_identity(const std::string& fingerprint);

  private:
    const std::vector<proto::Server>& all();

    Context& context_;
    std::optional<proto::ServerList::Reply> list_;
};

}  // namespace strongroom::client
