// The whole API as one table: message type -> who may send it, and its handler.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "common/base/json_fields.hpp"
#include "dispatcher/handler/context.hpp"

namespace strongroom::dispatcher {

struct Route {
    std::string_view type;
    Role caller;
    // Body -> reply body. Throws Error{protocol} for a body that breaks the message's limits.
    Json (*run)(const Context&, const Json&);
};

std::span<const Route> routes();
const Route* find_route(std::string_view type);  // nullptr: no such message

}  // namespace strongroom::dispatcher
