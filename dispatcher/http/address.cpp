#include "dispatcher/http/address.hpp"

#include <arpa/inet.h>

#include <cstring>

#include "common/base/error.hpp"

namespace strongroom::dispatcher {
namespace {

[[noreturn]] void bad(const std::string& text) {
    throw Error(ErrorKind::usage, "not an address and port: \"" + text + "\"",
                "Numeric, as in 127.0.0.1:8420 or [::1]:8420; port 0 takes any free port.");
}

}  // namespace

bool Address::is_loopback() const {
    in_addr v4{};
    if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
    in6_addr v6{};
    return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string Address::text() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Address parse_address(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon + 1 == text.size() || text.size() - colon > 6) bad(text);
    Address out;
    out.host = text.substr(0, colon);
    const bool brackets = out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']';
    if (brackets) out.host = out.host.substr(1, out.host.size() - 2);
    in_addr v4{};
    in6_addr v6{};
    const bool known = brackets ? inet_pton(AF_INET6, out.host.c_str(), &v6) == 1
                                : inet_pton(AF_INET, out.host.c_str(), &v4) == 1;
    if (!known) bad(text);
    unsigned port = 0;
    for (const char c : text.substr(colon + 1)) {
        if (c < '0' || c > '9') bad(text);
        port = port * 10 + static_cast<unsigned>(c - '0');
    }
    if (port > 65535) bad(text);
    out.port = static_cast<std::uint16_t>(port);
    return out;
}

}  // namespace strongroom::dispatcher
