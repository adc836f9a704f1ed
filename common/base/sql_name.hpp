// Names of schemas, tables and accounts as SQL text.
#pragma once

#include <string>
#include <string_view>

namespace strongroom {

// In backquotes, those in it doubled.
std::string quoted_name(std::string_view name);
// "`sche``ma`.`table`"
std::string quoted_name(std::string_view schema, std::string_view table);

}  // namespace strongroom
