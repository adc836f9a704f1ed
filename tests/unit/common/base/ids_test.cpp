#include "common/base/ids.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "common/base/clock.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"

using namespace strongroom;

TEST_CASE("identifiers have exactly one shape") {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto uuid = random_uuid();
        CHECK(is_uuid(uuid));
        CHECK(seen.insert(uuid).second);
    }
    CHECK_FALSE(is_uuid("6F1C2A4E-0B8D-4C53-9A57-2F7D9E3B1C60"));
    CHECK_FALSE(is_uuid("../../../../../../../../../etc/passwd"));
    CHECK(is_fingerprint("33D3BA6245EA5433ABA7522B92624BB985DD04C1"));
    CHECK_FALSE(is_fingerprint("92624BB985DD04C1"));  // a long key id
    CHECK(parse_fingerprint("33d3 ba62 45ea 5433 aba7  522b 9262 4bb9 85dd 04c1") ==
          "33D3BA6245EA5433ABA7522B92624BB985DD04C1");
    CHECK_THROWS_AS(parse_fingerprint("92624BB985DD04C1"), Error);
    CHECK_THROWS_AS(parse_fingerprint("alice@example.org"), Error);
    const auto set = make_set_id(parse_utc("2026-11-22T01:37:00Z"));
    CHECK(is_set_id(set));
    CHECK(set.starts_with("20261122T013700Z-"));
    CHECK_FALSE(is_set_id("20261122T013700Z-3f9a2c1b/.."));
}

TEST_CASE("UTC times are exact and strict") {
    const auto time = parse_utc("2026-02-28T23:59:59Z");
    CHECK(format_utc(time + std::chrono::seconds(1)) == "2026-03-01T00:00:00Z");
    CHECK(to_millis(parse_utc("1970-01-01T00:00:01Z")) == 1000);
    for (const char* bad :
         {"2026-02-29T00:00:00Z", "2026-1-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z",
          "2026-01-01T00:00:00", "2026-01-01T00:00:00Zx", "", "+026-01-01T00:00:00Z"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_utc(bad), Error);
    }
}

TEST_CASE("base64 and SHA-256 agree with their standards") {
    CHECK(to_base64("f") == "Zg==");
    CHECK(to_base64("foobar") == "Zm9vYmFy");
    CHECK(from_base64("Zm9vYg==") == "foob");
    CHECK(from_base64("").empty());
    const Bytes binary = random_bytes(1000);
    CHECK(from_base64(to_base64(binary)) == binary);
    for (const char* bad : {"Zg=", "Zg", "Zh==", "Z===", "Zm9v!mFy", "Zg==\n"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(from_base64(bad), Error);
    }
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
