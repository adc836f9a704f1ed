// The messages of PROTOCOL.md section 4. Each type declares its name and its fields once.
//
// A request type has `static constexpr type` (its name on the wire) and `Reply`. from_json/to_json of
// common/base/json_fields.hpp check every limit in both directions.
#pragma once

#include "proto/agent_messages.hpp"
#include "proto/group_messages.hpp"
#include "proto/proof_messages.hpp"
#include "proto/statement_messages.hpp"
#include "proto/user_messages.hpp"
