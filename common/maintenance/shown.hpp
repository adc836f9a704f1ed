// A pruning plan as people and programs see it, for every command that shows one.
#pragma once

#include <vector>

#include "common/base/json_fields.hpp"
#include "common/maintenance/prune.hpp"
#include "common/term/table.hpp"

namespace strongroom::maintenance {

term::Table table_of(const std::vector<PruneStep>& plan);
Json to_json(const std::vector<PruneStep>& plan);

}  // namespace strongroom::maintenance
