// The database's schema, version by version. user_version tells how many of these steps a database has seen.
#pragma once

#include <span>

namespace strongroom::dispatcher {

class Session;  // statements.hpp

// Runs inside the transaction that also moves user_version on.
using SchemaStep = void (*)(Session&);

// Oldest first. A step that was released is never changed; a change is a new step.
std::span<const SchemaStep> schema_steps();

}  // namespace strongroom::dispatcher
