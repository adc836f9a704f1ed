#include "agent/policy/policy.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace std::chrono_literals;

namespace {

template <class Call>
Error refusal(Call call) {
    try {
        call();
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::refused);
        return error;
    }
    FAIL("was allowed");
    throw 0;
}

const std::string pinned = "0123456789ABCDEF0123456789ABCDEF01234567";
const std::string other = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";

}  // namespace

TEST_CASE("job kinds are a closed set, and the host chooses from it") {
    const Policy policy{{"backup"}, 300s};
    CHECK_NOTHROW(policy.require_kind("backup"));
    CHECK(refusal([&] { policy.require_kind("escrow"); }).hint().find("allow-kinds") != std::string::npos);
    refusal([&] { policy.require_kind("verify-full"); });
    refusal([&] { (Policy{{"backup", "verify"}, 300s}).require_kind("verify-full"); });
    for (const char* unknown : {"restore", "exec", "", "Backup", "backup "})
        refusal([&] { (Policy{{"backup", "escrow", unknown}, 300s}).require_kind(unknown); });
}

TEST_CASE("backups that a dispatcher orders keep the least interval") {
    const Policy policy{{"backup"}, 300s};
    const UtcTime now = parse_utc("2026-11-22T02:00:00Z");
    CHECK_NOTHROW(policy.require_interval(now, std::nullopt));
    CHECK_NOTHROW(policy.require_interval(now, now - 300s));
    CHECK_NOTHROW(policy.require_interval(now, now + 1h));
    const Error error = refusal([&] { policy.require_interval(now, now - 299s); });
    CHECK(error.hint().find("min-interval") != std::string::npos);
}

TEST_CASE("rotations that a dispatcher orders keep a least interval of their own") {
    const Policy policy{{"rotate"}, 300s, 24h};
    const UtcTime now = parse_utc("2026-11-22T02:00:00Z");
    CHECK_NOTHROW(policy.require_kind("rotate"));
    CHECK_NOTHROW(policy.require_rotation_interval(now, std::nullopt));
    CHECK_NOTHROW(policy.require_rotation_interval(now, now - 24h));
    CHECK_NOTHROW(policy.require_rotation_interval(now, now + 1h));
    const Error error = refusal([&] { policy.require_rotation_interval(now, now - 23h); });
    CHECK(error.hint().find("min-rotation-interval") != std::string::npos);
}

TEST_CASE("verifications that a dispatcher orders keep a least interval of their own") {
    const Policy policy{{"verify"}, 300s, 24h, 1h};
    const UtcTime now = parse_utc("2026-11-22T02:00:00Z");
    CHECK_NOTHROW(policy.require_kind("verify"));
    refusal([&] { policy.require_kind("prune"); });
    CHECK_NOTHROW(policy.require_verify_interval(now, std::nullopt));
    CHECK_NOTHROW(policy.require_verify_interval(now, now - 1h));
    CHECK_NOTHROW(policy.require_verify_interval(now, now + 1h));
    const Error error = refusal([&] { policy.require_verify_interval(now, now - 59min); });
    CHECK(error.hint().find("min-verify-interval") != std::string::npos);
}

TEST_CASE("an escrow order with another recipient is refused") {
    CHECK_NOTHROW(Policy::require_pinned({}, {pinned}));
    CHECK_NOTHROW(Policy::require_pinned({pinned}, {pinned}));
    const Error error = refusal([&] { Policy::require_pinned({pinned, other}, {pinned}); });
    CHECK(error.text().find(other) != std::string::npos);
    CHECK(error.text().find("not pinned") != std::string::npos);
    refusal([&] { Policy::require_pinned({}, {}); });
}
