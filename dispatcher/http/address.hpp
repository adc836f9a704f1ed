// "127.0.0.1:8420", "[::1]:8420", "0.0.0.0:0": numeric addresses only, nothing is looked up.
#pragma once

#include <cstdint>
#include <string>

namespace strongroom::dispatcher {

struct Address {
    std::string host;  // numeric, without brackets
    std::uint16_t port = 0;

    bool is_loopback() const;
    std::string text() const;  // as parse_address() takes it
};

Address parse_address(const std::string& text);  // throws Error{usage}

}  // namespace strongroom::dispatcher
