// SQL assertions of the host's own configuration about a restored database. Never a dispatcher's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/restore/sql_client.hpp"

namespace strongroom::agent {

// Each must answer with exactly one row of one column that is 1. The first that does not, by its number from
// 1, with what it said; none: all hold.
std::optional<std::string> failed_assertion(const restore::SqlClient& client,
                                            const std::vector<std::string>& assertions);

}  // namespace strongroom::agent
