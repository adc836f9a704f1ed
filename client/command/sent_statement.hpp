// A statement of the user on its way to a host, carried by the dispatcher.
#pragma once

#include <cstdint>
#include <string>

#include "client/command/context.hpp"
#include "common/base/bytes.hpp"
#include "proto/statement_messages.hpp"

namespace strongroom::client {

// Sends it and returns its SHA-256, its name from here on. Throws Error{protocol} if the dispatcher names
// another.
std::string send_statement(Context& context, const std::string& server, BytesView statement);

// Asks until the host answered or another statement took its place. Throws Error{timeout} with `hint` after
// `timeout` seconds, Error{not_found} if the dispatcher does not list it.
proto::SentStatement wait_for_answer(Context& context, const std::string& server, const std::string& sha256,
                                     std::int64_t timeout, const std::string& hint);

}  // namespace strongroom::client
