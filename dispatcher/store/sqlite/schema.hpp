// The database's schema, version by version. user_version tells how many of these steps a database has seen.
#pragma once

#include <span>

namespace strongroom::dispatcher {

class Session;  // statements.hpp

// Runs inside the transaction that also moves user_version on.
using SchemaStep = void (*)(Session&);

// Oldest first. A step that was released is never changed; a change is a new step. The steps make tables and
// indexes; a view that changes is a step that does nothing, so that older databases get the new one.
std::span<const SchemaStep> schema_steps();
void step_13(Session& session);  // schema_identities.cpp
void step_14(Session& session);  // schema_groups.cpp
void step_15(Session& session);  // schema_verifiers.cpp

// An upgrade drops the older version's views before the first step, and makes this one's after the last.
void drop_views(Session& session);
void make_views(Session& session);

}  // namespace strongroom::dispatcher
