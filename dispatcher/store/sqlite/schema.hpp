// The database's schema, version by version. user_version tells how many of these steps a database has seen.
#pragma once

#include <span>
#include <string_view>

namespace strongroom::dispatcher {

// The statements of each step, oldest first. A step that was released is never changed; a change is a new
// step.
std::span<const std::span<const std::string_view>> schema_steps();

}  // namespace strongroom::dispatcher
