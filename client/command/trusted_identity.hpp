// Which identity keys of a server this user trusts: --identity, else the user's own memory (known servers),
// and what verified changes lead to from there. Never what a dispatcher or a store says alone.
#pragma once

#include <string>

#include "client/command/context.hpp"
#include "client/recovery/recover.hpp"
#include "common/identity/identities.hpp"

namespace strongroom::client {

// Throws Error{usage} unless it is a UUID.
void require_server_id(const std::string& server);

// Which keys may approve a change here: this user's own secret keys, and those of --approver.
AcceptsApprover approvers_of(const Context& context);

// Followed from the key that this user knows. `given` is the value of --identity or empty. A server that is
// known moves on in known-servers.json, and that is said. Throws Error{refused} if nothing is known, if they
// disagree, or if a change does not hold.
Identities trusted_identities(Context& context, const std::string& given, const ShownIdentities& shown);

// As the store shows them now. `store` may be a view of the past (`as_of` not empty): then the changes since
// are read from `url`.
ShownIdentities shown_by_store(Context& context, storage::ObjectStore& store, const std::string& url,
                               const std::string& as_of, const std::string& server);

// As the dispatcher shows them; the changes only where `public_key`, that of the identity in use there, is
// not of the key that is known here, or if `all`.
ShownIdentities shown_by_dispatcher(Context& context, const std::string& server,
                                    const std::string& public_key, bool all = false);

}  // namespace strongroom::client
