// The database's schema, version by version. user_version tells how many of these steps a database has seen.
#pragma once

#include <span>

namespace soci {
class session;
}

namespace strongroom::dispatcher {

// Runs inside the transaction that also moves user_version on.
using SchemaStep = void (*)(soci::session&);

// Oldest first. A step that was released is never changed; a change is a new step.
std::span<const SchemaStep> schema_steps();

}  // namespace strongroom::dispatcher
