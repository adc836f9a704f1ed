// The audit trail from its first entry to its last.
#pragma once

#include <functional>

#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

// Calls `visit` for every entry, oldest first, in one consistent view of the store. Throws as Store::read().
void for_each_entry(Store& store, const std::function<void(const AuditEntry&)>& visit);

}  // namespace strongroom::dispatcher
