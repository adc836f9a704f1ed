#include "client/known_servers/known_servers.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "tests/support/fake_clock.hpp"

using namespace strongroom;
using client::KnownServers;

namespace {

const std::string server = "0b0c7a52-6f0d-4a5e-9f55-0a4de9f5b2c1";
const std::string identity(40, 'A');
const std::string other(40, 'B');

struct Fixture {
    TempDir folder;
    test::FakeClock clock;
    std::filesystem::path file = folder.path() / "strongroom" / "known-servers.json";
};

ErrorKind refusal_of(const std::filesystem::path& file) {
    try {
        KnownServers known(file);
    } catch (const Error& error) {
        return error.kind();
    }
    FAIL("was read");
    return ErrorKind::internal;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a server is remembered across runs, in a private file") {
    {
        KnownServers known(file);
        CHECK_FALSE(known.identity_of(server));
        CHECK(known.pin(server, identity, clock.now()));
        CHECK_FALSE(known.pin(server, identity, clock.now()));  // not new any more
    }
    CHECK_NOTHROW(require_private_file(file));
    CHECK(KnownServers(file).identity_of(server) == identity);
}

TEST_CASE_METHOD(Fixture, "another key for a known server is refused, and the first one stays") {
    KnownServers known(file);
    known.pin(server, identity, clock.now());
    try {
        known.pin(server, other, clock.now());
        FAIL("was accepted");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::refused);
        CHECK(error.text().find(server) != std::string::npos);
        CHECK(error.text().find("BBBB BBBB") != std::string::npos);
        CHECK(error.text().find("AAAA AAAA") != std::string::npos);
        CHECK_FALSE(error.hint().empty());
    }
    CHECK_THROWS_AS(known.check(server, other), Error);
    CHECK_NOTHROW(known.check("5b1e0e0e-7d8b-4b5c-8a40-3c3f4f0f9a11", other));  // not known: nothing to say
    CHECK(KnownServers(file).identity_of(server) == identity);
}

TEST_CASE_METHOD(Fixture, "a damaged or open file is refused, never taken as empty") {
    make_private_dir(file.parent_path());
    write_file_atomic(file, "{\"version\":1,\"servers\":[{\"server\":\"x\"}]}");
    CHECK(refusal_of(file) == ErrorKind::config);
    const std::string row =
        R"({"server":")" + server + R"(","identity":")" + identity + R"(","first_seen":"now"})";
    write_file_atomic(file, "{\"version\":1,\"servers\":[" + row + "," + row + "]}");
    CHECK(refusal_of(file) == ErrorKind::config);
    write_file_atomic(file, "{\"version\":1,\"servers\":[" + row + "]}", 0666);
    CHECK(refusal_of(file) == ErrorKind::insecure_file);
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    CHECK_THROWS_AS(KnownServers(file), Error);
}
