// Requests for escrow records: their limits, and who is told of them. A record opens nothing without the
// recovery key's owner; that somebody asks for one is news to everybody who relies on it.
#pragma once

#include "dispatcher/handler/context.hpp"
#include "proto/agent_messages.hpp"

namespace strongroom::dispatcher {

// In any hour; what `serve` was told stands among the service's values.
inline constexpr std::int64_t default_fetches_of_user = 100;
inline constexpr std::int64_t default_fetches_of_server = 20;
inline constexpr const char* fetches_of_user_value = "escrow_fetches_of_user";
inline constexpr const char* fetches_of_server_value = "escrow_fetches_of_server";

// Throws Error{refused} over the limit of the calling user or of the server.
void require_escrow_request_allowed(const Context& context, const std::string& server);

// Writes it down: the count, the audit logs of the owner and of every other recovery key's owner who is a
// user here, and news for the host. `text` says what was given out.
void note_escrow_request(const Context& context, const Server& server, const std::string& text);

// Those of the last 30 days; nullopt: there were none.
std::optional<proto::EscrowFetched> recent_escrow_requests(const Context& context, const std::string& server);

}  // namespace strongroom::dispatcher
