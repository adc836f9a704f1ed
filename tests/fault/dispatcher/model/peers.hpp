// What a random history deals with: agents, and requests that may be sent again.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"
#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"

namespace strongroom::test {

// A history that broke a promise.
struct Broken {
    std::string what;
};
inline void hold(bool good, const std::string& what) {
    if (!good) throw Broken{what};
}

struct Request {
    std::string authorization;
    Bytes json;
    std::string type;
    UtcTime made;  // true time
};

struct Agent {
    std::string uuid = random_uuid();
    std::string fingerprint;
    std::string subkey;
    std::string token = to_hex(random_bytes(32));
    std::string owner;
    bool retired = false;
    std::optional<std::pair<std::string, std::int64_t>> holds;  // job, attempt
};

}  // namespace strongroom::test
