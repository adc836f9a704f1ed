#include "dispatcher/http/sender_limits.hpp"

#include <catch2/catch.hpp>

using strongroom::dispatcher::limit_key;

TEST_CASE("limits: each IPv4 address for itself, IPv6 by network") {
    const auto key = [](const char* text) { return limit_key(boost::asio::ip::make_address(text)); };
    CHECK(key("192.0.2.1") != key("192.0.2.2"));
    CHECK(key("::ffff:192.0.2.1") == key("192.0.2.1"));
    CHECK(key("::ffff:192.0.2.1") != key("::ffff:192.0.2.2"));
    CHECK(key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::2"));
    CHECK(key("2001:db8:1:2::1") != key("2001:db8:1:3::1"));
}
