// Which identity key of a server this user trusts: --identity, else the user's own memory (known servers).
// Never what a dispatcher or a store says alone.
#pragma once

#include <string>

#include "client/command/context.hpp"

namespace strongroom::client {

// Throws Error{usage} unless it is a UUID.
void require_server_id(const std::string& server);

// `given` is the value of --identity or empty; `claimed` is what `origin` says, or empty if it says nothing.
// Throws Error{refused} if nothing is known, or if they disagree.
std::string trusted_identity(Context& context, const std::string& server, const std::string& given,
                             const std::string& claimed, const std::string& origin);

}  // namespace strongroom::client
