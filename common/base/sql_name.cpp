#include "common/base/sql_name.hpp"

namespace strongroom {

std::string quoted_name(std::string_view name) {
    std::string out = "`";
    for (const char c : name) out += c == '`' ? std::string("``") : std::string(1, c);
    return out + "`";
}

std::string quoted_name(std::string_view schema, std::string_view table) {
    return quoted_name(schema) + "." + quoted_name(table);
}

}  // namespace strongroom
