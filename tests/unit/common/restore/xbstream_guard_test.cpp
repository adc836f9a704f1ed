#include "common/restore/xbstream_guard.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "tests/support/streams.hpp"

using namespace strongroom;
using restore::XbstreamGuard;
using test::CollectingTarget;
using Dialect = restore::XbstreamGuard::Dialect;

namespace {

std::string number(std::uint64_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i, value >>= 8U) out += static_cast<char>(value);
    return out;
}
std::string chunk(char type, const std::string& path) {
    return std::string("XBSTCK01") + '\0' + type + number(path.size(), 4) + path;
}
std::string payload(const std::string& path, const std::string& data) {
    return chunk('P', path) + number(data.size(), 8) + number(0, 8) + number(0, 4) + data;
}

struct Outcome {
    std::string kind;
    std::string released;
};

Outcome pass(const std::string& stream, std::size_t step = 7, Dialect dialect = Dialect::mariadb) {
    CollectingTarget target;
    XbstreamGuard guard(target, dialect);
    try {
        for (std::size_t at = 0; at < stream.size(); at += step)
            guard.write(stream.data() + at, std::min(step, stream.size() - at));
        guard.commit();
        return {target.committed ? "ok" : "not committed", target.bytes};
    } catch (const Error& error) {
        return {std::string(name(error.kind())), target.bytes};
    }
}

}  // namespace

TEST_CASE("a sound stream passes unchanged, however it is cut") {
    const std::string stream = payload("./ibdata1", std::string(1000, 'x')) +
                               payload("world/City.ibd", "abc") + payload("empty", "") +
                               chunk('E', "world/City.ibd") + chunk('S', "./ibdata1") + number(4096, 8) +
                               chunk('D', "old") + chunk('R', "a") + number(1, 4) + "b";
    for (const std::size_t step : {1U, 7U, 64U, 100'000U}) {
        const auto outcome = pass(stream, step);
        CHECK(outcome.kind == "ok");
        CHECK(outcome.released == stream);
    }
    const std::string sparse = chunk('S', "a.ibd") + number(2, 4) + number(5, 8) + number(0, 8) +
                               number(0, 4) + std::string(16, 'm') + "hello" + chunk('E', "a.ibd");
    CHECK(pass(sparse, 3, Dialect::percona).kind == "ok");
}

TEST_CASE("a name that leads out of the target is refused before it is released") {
    const std::string good = payload("good", "1");
    for (const char* bad : {"/etc/passwd", "../x", "a/../../x", "./../x", "a/..", ".", "./", "a//b", "a/./b",
                            "a/", "a\nb", ".//etc/passwd", "a\\b"}) {
        INFO(bad);
        const auto outcome = pass(good + payload(bad, "evil"));
        CHECK(outcome.kind == "refused");
        CHECK(outcome.released == good);
    }
    CHECK(pass(payload(std::string("a\0b", 3), "evil")).kind == "refused");
    CHECK(pass(chunk('R', "a") + number(4, 4) + "../b").kind == "refused");
    CHECK(pass(chunk('D', "/a")).kind == "refused");
    CHECK(pass(chunk('P', std::string(5000, 'a'))).kind == "refused");
    CHECK(pass(chunk('P', "")).kind == "refused");
}

TEST_CASE("what is no whole xbstream is refused") {
    CHECK(pass("").kind == "corrupt");
    CHECK(pass("CREATE TABLE t (a INT);").kind == "corrupt");
    CHECK(pass(payload("a", "12345").substr(0, 38)).kind == "corrupt");
    CHECK(pass(payload("a", "12345") + "XBST").kind == "corrupt");
    CHECK(pass(chunk('Q', "a")).kind == "refused");
    CHECK(pass(chunk('D', "a"), 7, Dialect::percona).kind == "refused");
    CHECK(pass(chunk('P', "a") + number(UINT64_C(1) << 60, 8) + number(0, 12)).kind == "refused");
}
