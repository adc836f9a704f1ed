#include "common/base/file.hpp"
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
