// What every ObjectStore promises (common/storage/object_store.hpp), as one suite. A new store instantiates
// it with a function that makes a fresh, empty store:
//
//   TEST_CASE("the S3 store keeps the contract") {
//       strongroom::test::object_store_contract([] { return std::make_unique<...>(...); });
//   }
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::test {

inline ErrorKind kind_of(const std::function<void()>& function) {
    try {
        function();
    } catch (const Error& error) {
        return error.kind();
    }
    FAIL("no error was thrown");
    return ErrorKind::internal;
}

inline std::vector<std::string> keys_of(const std::vector<storage::ObjectInfo>& objects) {
    std::vector<std::string> out;
    for (const auto& object : objects) out.push_back(object.key);
    return out;
}

inline void object_store_contract(const std::function<std::unique_ptr<storage::ObjectStore>()>& make) {
    using Keys = std::vector<std::string>;
    const auto store = make();
    const std::size_t max = 64U << 20U;

    SECTION("what is put can be read, also when it is empty, binary or large") {
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{9} << 20U}) {
            const Bytes bytes = size == 0 ? Bytes() : random_bytes(size);
            store->put("a/object", bytes);
            CHECK(store->get("a/object", max).view() == bytes);
            CHECK(store->get("a/object", size).view() == bytes);
            CHECK(store->stat("a/object")->size == size);
        }
    }
    SECTION("an object read into used memory is that object and nothing of the former") {
        MemFile into("into");
        for (const std::size_t size :
             {std::size_t{200000}, std::size_t{5}, std::size_t{0}, std::size_t{300000}}) {
            const Bytes bytes = size == 0 ? Bytes() : random_bytes(size);
            store->put("a/object", bytes);
            store->get_into("a/object", max, into);
            CHECK(into.view() == bytes);
        }
        CHECK(kind_of([&] { store->get_into("a/none", max, into); }) == ErrorKind::not_found);
        CHECK(kind_of([&] { store->get_into("a/object", 299999, into); }) == ErrorKind::corrupt);
    }
    SECTION("a put replaces the whole object") {
        store->put("a/object", "a longer first version");
        store->put("a/object", "second");
        CHECK(store->get("a/object", max).view() == "second");
        CHECK(keys_of(store->list("")) == Keys{"a/object"});
    }
    SECTION("a missing object is not_found") {
        CHECK(kind_of([&] { store->get("a/none", max); }) == ErrorKind::not_found);
        CHECK_FALSE(store->stat("a/none"));
        store->put("a/object", "x");
        CHECK(kind_of([&] { store->get("a/object/below", max); }) == ErrorKind::not_found);
        CHECK_FALSE(store->stat("a"));
        CHECK(kind_of([&] { store->get("a", max); }) != ErrorKind::internal);
    }
    SECTION("an object over the limit is refused") {
        store->put("a/object", "12345");
        CHECK(kind_of([&] { store->get("a/object", 4); }) == ErrorKind::corrupt);
    }
    SECTION("removing takes the object away, and twice is no error") {
        store->put("a/b/object", "x");
        store->remove("a/b/object");
        CHECK_FALSE(store->stat("a/b/object"));
        CHECK_NOTHROW(store->remove("a/b/object"));
        CHECK(store->list("").empty());
        CHECK(store->list_folders("").empty());
        store->put("a/b/object", "y");
        CHECK(store->get("a/b/object", max).view() == "y");
    }
    SECTION("lists are sorted by key and bounded by the prefix") {
        for (const char* key : {"a/b/2", "a/b/10", "a/b-c/1", "a/z", "ab/1", "top"}) store->put(key, "x");
        CHECK(keys_of(store->list("")) == Keys{"a/b-c/1", "a/b/10", "a/b/2", "a/z", "ab/1", "top"});
        CHECK(keys_of(store->list("a/")) == Keys{"a/b-c/1", "a/b/10", "a/b/2", "a/z"});
        CHECK(keys_of(store->list("a/b/")) == Keys{"a/b/10", "a/b/2"});
        CHECK(store->list("none/").empty());
        CHECK(store->list_folders("") == Keys{"a", "ab"});
        CHECK(store->list_folders("a/") == Keys{"b", "b-c"});
        CHECK(store->list_folders("none/").empty());
        CHECK(store->list("a/").front().size == 1);
    }
    SECTION("keys that could leave the store are refused") {
        const std::string long_key = std::string(300, 'a') + "/" + std::string(300, 'b');
        for (const std::string& key :
             {std::string(""), std::string("/a"), std::string("a/"), std::string("a//b"), std::string(".."),
              std::string("a/../b"), std::string("./a"), std::string("a/.hidden"), std::string("a b"),
              std::string("a\\b"), std::string("a\0b", 3), std::string("\xC3\xA4"), long_key}) {
            INFO("key: " << key);
            CHECK(kind_of([&] { store->put(key, "x"); }) == ErrorKind::storage);
        }
        CHECK(store->list("").empty());
    }
    SECTION("many threads may use one store") {
        std::vector<std::thread> threads;
        std::vector<int> wrong(8, 0);
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 20; ++i) {
                    const std::string key = "t/" + std::to_string(i % 3) + "/" + std::to_string(t);
                    const Bytes bytes(1000, static_cast<char>('a' + t));
                    try {
                        store->put(key, bytes);
                        store->put("t/shared", bytes);
                        const MemFile shared = store->get("t/shared", max);
                        const bool whole = shared.view() == Bytes(1000, shared.view().front());
                        if (!whole || store->get(key, max).view() != bytes)
                            ++wrong[static_cast<std::size_t>(t)];
                        store->remove(key);
                    } catch (const Error& error) {
                        std::cerr << describe("contract", error);
                        ++wrong[static_cast<std::size_t>(t)];
                    }
                }
            });
        for (auto& thread : threads) thread.join();
        CHECK(wrong == std::vector<int>(8, 0));
        CHECK(keys_of(store->list("")) == Keys{"t/shared"});
    }
    SECTION("a writable store passes the probe, which leaves nothing behind") {
        CHECK_NOTHROW(store->check_writable(""));
        CHECK_NOTHROW(store->check_writable("server/"));
        CHECK(store->list("").empty());
        CHECK_FALSE(store->label().empty());
    }
}

}  // namespace strongroom::test
