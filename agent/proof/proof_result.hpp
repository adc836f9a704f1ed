// What came of proving a set by restoring it, and how it is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/error.hpp"
#include "common/base/json_fields.hpp"

namespace strongroom::agent {

struct ProofSeconds {
    double extract = 0;  // or load: of a dump
    double prepare = 0;
    double start = 0;
    double check = 0;
    double compare = 0;  // figures and assertions
};

struct ProofResult {
    std::string server;  // UUID: whose set it is
    bool own = true;     // this host's
    std::string set;
    std::int64_t finished = 0;   // UTC milliseconds
    std::string server_version;  // of the private server
    std::size_t tables = 0;
    std::size_t checked = 0;        // by CHECK TABLE, with OK
    std::size_t not_checkable = 0;  // their engine has no check
    std::size_t equal = 0;          // rows and checksum as at the source
    std::size_t not_comparable = 0;
    std::string not_compared;  // why no table was compared; empty if some were
    std::size_t assertions = 0;
    ProofSeconds seconds;
    std::string
        failed_step;  // "extract", "load", "prepare", "start", "check", "compare", "assert", "stop"; or empty
    std::optional<Error> failure;  // why the set could not be proven
    bool proven() const { return !failure; }
};

// One line for people: "set ... was restored, started and compared: 16 tables, 16 checked, ..."
std::string one_line(const ProofResult& result);
// The same without a name or a value of the database: for whoever may not know them.
std::string public_line(const ProofResult& result);
Json json_of(const ProofResult& result);
// Of one that failed: the hint for whoever reads it.
std::string what_to_do(const ProofResult& result);

}  // namespace strongroom::agent
