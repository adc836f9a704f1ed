// Gathers what the alert rules and `status` need from the store and the disk.
#pragma once

#include "dispatcher/alert/rules.hpp"
#include "dispatcher/app/state.hpp"

namespace strongroom::dispatcher {

struct Disk {
    std::int64_t database = 0;  // bytes, with the write-ahead log
    std::int64_t free = 0;      // for this user
    std::int64_t total = 0;
};
Disk measure_disk(const State& state);

// A number among the service's values; 0 if it was never written.
std::int64_t service_number(Transaction& tx, const std::string& name);

// In one consistent view of the store. `started`: 0 if no dispatcher serves.
Facts gather_facts(Store& store, const Disk& disk, std::int64_t now, std::int64_t started);

// Inspects a few users' keys whose end is not written down yet (those of an older version): one gpg process
// for each, once.
void note_key_expiries(Store& store);

}  // namespace strongroom::dispatcher
