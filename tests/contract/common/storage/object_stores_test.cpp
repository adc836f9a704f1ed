#include "common/base/file.hpp"
#include "common/storage/guarded_store.hpp"
#include "tests/contract/object_store_contract.hpp"
#include "tests/support/memory_store.hpp"

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
    // Owns the guarded store, which is shared.
    struct Guarded : storage::ForwardingStore {
        using ForwardingStore::ForwardingStore;
    };
    test::object_store_contract([&] {
        return std::make_unique<Guarded>(storage::open_guarded_store("file://" + dir.path().string(), false,
                                                                     {.writes = &rate, .reads = &rate}));
    });
}
