#include "common/base/file.hpp"
#include "common/storage/open/open_store.hpp"
#include "tests/contract/object_store_contract.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/s3_server.hpp"
#include "tests/support/sftp_server.hpp"

using namespace strongroom;

TEST_CASE("the memory store of the tests keeps the contract") {
    test::object_store_contract([] { return std::make_unique<test::MemoryStore>(); });
}

TEST_CASE("the local store keeps the contract") {
    const TempDir dir;
    test::object_store_contract([&] { return storage::open_store("file://" + dir.path().string(), false); });
}

TEST_CASE("a guarded store keeps the contract of the store below it") {
    const TempDir dir;
    RateLimiter rate(1 << 30);
    storage::StoreMeter meter;
    // Owns the guarded store, which is shared.
    struct Guarded : storage::ForwardingStore {
        using ForwardingStore::ForwardingStore;
    };
    test::object_store_contract([&] {
        return std::make_unique<Guarded>(storage::open_guarded_store(
            "file://" + dir.path().string(), false, {}, {.writes = &rate, .reads = &rate, .meter = &meter}));
    });
    CHECK(meter.figures().operations.contains(storage::Operation::put));
}

// One case, so that one server serves all: a test program runs once for each case.
TEST_CASE("the S3 store keeps the contract, with and without TLS, with and without a prefix") {
    auto& server = test::S3Server::shared();
    const bool tls = GENERATE(false, true);
    CAPTURE(tls);
    const std::string url = server.make_bucket();
    test::object_store_contract(
        [&] { return storage::open_store(tls ? url : url + "/a/prefix", false, server.settings(tls)); });
}

TEST_CASE("the SFTP store keeps the contract") {
    static test::SftpServer server;
    static int number = 0;
    const std::string folder = std::to_string(++number);
    test::object_store_contract(
        [&] { return storage::open_store(server.url(folder), false, server.settings()); });
}
