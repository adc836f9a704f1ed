// chain.json: the physical backup that an increment would build on. The same facts are in the signed
// manifests; this file says which of the sets is the newest, and of which data files. Missing, or about
// something else than what is there now: the next backup is a full one, with a message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/json_fields.hpp"

namespace strongroom::agent {

struct ChainState {
    std::string store;  // URL
    std::string full;   // the full set, and when it was begun, UTC milliseconds
    std::int64_t begun = 0;
    std::string newest;           // set that the next increment builds on
    std::int64_t lsn = 0;         // where that one ends, and the next begins
    std::int64_t increments = 0;  // in the chain
    std::string tool;
    std::string tool_version;
    std::optional<std::string> server_version;
    std::string data_files;  // which they are: see data_files() in agent/job/chain_plan.hpp
    template <class Fields>
    void fields(Fields& f) {
        f("store", store, Text{1000});
        f("full", full, set_id_text);
        f("begun", begun, any_time);
        f("newest", newest, set_id_text);
        f("lsn", lsn, any_size);
        f("increments", increments, any_size);
        f("tool", tool, Text{64});
        f("tool_version", tool_version, Text{512});
        f("server_version", server_version, Text{128});
        f("data_files", data_files, Text{128});
    }
};

}  // namespace strongroom::agent
