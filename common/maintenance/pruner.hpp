// Removing sets from a store, in two steps with time between them: a mark, and after a grace time the
// removal. A mark is an object of its own, <server>/prune/<set-id>.json; a marked set is listed and restores
// as before.
//
// The removal takes the signature first, so that no set is ever listed that is not whole; what is left if it
// is interrupted is an unfinished set with a mark, which the next run removes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::maintenance {

struct PruneMark {
    std::string set;
    std::string marked;        // UTC
    std::string why;           // "retention", "unfinished", "replaced by ..."
    std::int64_t objects = 0;  // that the set had then: an unfinished set that grew is being written
    template <class Fields>
    void fields(Fields& f);
};

// The marks of a server by set id. A mark that cannot be read is none, and counts from anew when it is made
// again.
std::map<std::string, PruneMark> read_marks(storage::ObjectStore& store, const std::string& server);
void write_mark(storage::ObjectStore& store, const std::string& server, const PruneMark& mark);
void remove_mark(storage::ObjectStore& store, const std::string& server, const std::string& set);

// Set folders without a signature that were begun before `before`: a backup that failed or was killed, or one
// that runs for very long.
struct UnfinishedSet {
    std::string set;
    std::int64_t objects = 0;
    std::int64_t bytes = 0;
};
std::vector<UnfinishedSet> unfinished_sets(storage::ObjectStore& store, const std::string& server,
                                           UtcTime before);

// Removes all objects of a set, its signature first, then its mark. Returns the bytes that were removed.
// Throws what the store throws, naming the object; what is left then is marked still.
std::int64_t remove_set(storage::ObjectStore& store, const std::string& server, const std::string& set);

}  // namespace strongroom::maintenance
