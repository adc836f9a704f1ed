// A set of 10,000 segments: 20,000 gpg children, a manifest of more than a megabyte.
#include <catch2/catch.hpp>
#include <iostream>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/storage/local_store.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace strongroom::backupset;

TEST_CASE("10,000 segments of 4 KiB come back in order, and one damaged among them is named") {
    constexpr std::size_t segment = 4096;
    constexpr std::size_t count = 10'000;
    test::SetBench bench;
    const TempDir dir("/dev/shm");  // 20,000 syncs of a real disk would be most of the time
    storage::LocalStore store(dir.path() / "store", true);
    Bytes plain;  // every segment is told apart, and the last one is short
    while (plain.size() < count * segment - 100) plain += "row " + std::to_string(plain.size()) + "; ";
    plain.resize(count * segment - 100);

    auto options = bench.options(segment);
    options.workers = 0;
    test::BufferSource source(plain);
    const auto clock = std::chrono::steady_clock::now;
    const auto begun = clock();
    const Manifest sealed = seal(options, bench.next_set(), source, store, bench.home(), bench.clock);
    const auto seal_end = clock();
    REQUIRE(sealed.segments.size() == count);
    const Manifest manifest = read_manifest(store, bench.server, sealed.set, bench.home(), bench.identity);
    CHECK(encode_manifest(manifest) == encode_manifest(sealed));
    CHECK(store.list(set_prefix(bench.server, sealed.set)).size() == count + 3);

    test::CollectingTarget target;
    const auto open_begin = clock();
    open_set({}, manifest, store, bench.home(), target);
    const auto open_end = clock();
    CHECK(target.committed);
    CHECK(sha256_hex(target.bytes) == sha256_hex(plain));
    const auto seconds = [](auto from, auto to) { return std::chrono::duration<double>(to - from).count(); };
    std::cout << "sealed in " << seconds(begun, seal_end) << " s, opened in " << seconds(open_begin, open_end)
              << " s\n";

    verify_set(manifest, store);
    const std::string key = segment_key(bench.server, sealed.set, 9'876);
    Bytes damaged(store.get(key, 1 << 20).view());
    damaged[damaged.size() / 2] ^= 1;
    store.put(key, damaged);
    try {
        verify_set(manifest, store);
        FAIL("verified");
    } catch (const Error& error) {
        CHECK(error.text().find("segment 9876 (" + key + ")") != std::string::npos);
    }
}
