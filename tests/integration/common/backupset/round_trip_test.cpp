// Seals and opens backup sets with real gpg children.
#include <catch2/catch.hpp>
#include <set>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using test::BufferSource;
using test::CollectingTarget;
using test::SetBench;

namespace {

// Text-like bytes: compressible, but no two parts alike.
Bytes numbered_lines(std::size_t size) {
    Bytes out;
    out.reserve(size + 64);
    for (int i = 0; out.size() < size; ++i) out += "row " + std::to_string(i * 7919) + " of the table\n";
    out.resize(size);
    return out;
}

Bytes open(SetBench& bench, const Manifest& manifest, int workers = 3) {
    CollectingTarget target;
    open_set({workers}, manifest, bench.store, bench.home(), target);
    CHECK(target.committed);
    return target.bytes;
}

}  // namespace

TEST_CASE("a set opens to the bytes it was sealed from, at every border of a segment") {
    SetBench bench;
    constexpr std::size_t segment = 4096;
    struct Row {
        std::size_t size;
        std::size_t segments;
    };
    for (const Row row : {Row{1, 1}, Row{segment - 1, 1}, Row{segment, 1}, Row{segment + 1, 2},
                          Row{2 * segment - 1, 2}, Row{2 * segment, 2}, Row{2 * segment + 1, 3}}) {
        INFO("size " << row.size);
        const Bytes plain = numbered_lines(row.size);
        const Manifest sealed = bench.seal(plain);
        CHECK(sealed.segments.size() == row.segments);
        CHECK(sealed.plain_total == static_cast<std::int64_t>(row.size));
        const Manifest manifest = bench.read(sealed.set);
        CHECK(encode_manifest(manifest) == encode_manifest(sealed));
        CHECK(open(bench, manifest) == plain);
    }
}

TEST_CASE("many small segments with many workers stay in order") {
    SetBench bench;
    const Bytes plain = numbered_lines(300 * 4096);
    auto options = bench.options();
    options.workers = 8;
    const Manifest manifest = bench.seal(plain, options);
    CHECK(manifest.segments.size() == 300);
    CHECK(open(bench, manifest, 1) == plain);
    CHECK(open(bench, manifest, 8) == plain);
    CHECK(open(bench, manifest, 0) == plain);
    CHECK_NOTHROW(verify_set(manifest, bench.store));
}

TEST_CASE("incompressible data, larger segments, every compression") {
    SetBench bench;
    const Bytes noise = random_bytes(5 << 20);
    for (const char* compression : {"zstd", "none"}) {
        auto options = bench.options(2 << 20);
        options.compression = compression;
        options.workers = 2;
        const Manifest manifest = bench.seal(noise, options);
        CHECK(manifest.segments.size() == 3);
        CHECK(manifest.compression == compression);
        CHECK(manifest.stored_total >= manifest.plain_total);
        CHECK(open(bench, manifest) == noise);
    }
    auto options = bench.options(2 << 20);
    options.level = 19;
    const Bytes text = numbered_lines(3 << 20);
    const Manifest manifest = bench.seal(text, options);
    CHECK(manifest.stored_total < manifest.plain_total / 4);
    CHECK(open(bench, manifest) == text);
}

TEST_CASE("the manifest holds what the source learned, and a listing shows the sets by time") {
    SetBench bench;
    BufferSource source("first");
    source.facts.server_version = "10.11.6-MariaDB";
    source.facts.position.lsn_to = 4711;
    source.facts.position.binlog_file = "binlog.000007";
    auto options = bench.options();
    options.stream = "xbstream";
    const std::string first = bench.next_set();
    seal(options, first, source, bench.store, bench.home(), bench.clock);
    CHECK(source.finished);
    const std::string second = bench.seal("second").set;

    const auto sets = bench.list();
    REQUIRE(sets.size() == 2);
    CHECK(sets[0].set == first);
    CHECK(sets[1].set == second);
    REQUIRE(sets[0].manifest);
    CHECK(sets[0].problem.empty());
    CHECK(sets[0].manifest->server_version == "10.11.6-MariaDB");
    CHECK(sets[0].manifest->position.lsn_to == 4711);
    CHECK(sets[0].manifest->position.binlog_file == "binlog.000007");
    CHECK(sets[0].manifest->stream == "xbstream");

    // A set id is used once.
    BufferSource again("third");
    CHECK_THROWS_AS(seal(options, first, again, bench.store, bench.home(), bench.clock), Error);
    CHECK(open(bench, bench.read(first)) == "first");
}

TEST_CASE("progress grows with every segment and ends with the totals") {
    SetBench bench;
    auto options = bench.options();
    options.expected_bytes = 5 * 4096;
    BufferSource source(numbered_lines(5 * 4096));
    std::vector<Progress> seen;
    const auto note = [&](const Progress& progress) { seen.push_back(progress); };
    const Manifest manifest =
        seal(options, bench.next_set(), source, bench.store, bench.home(), bench.clock, note);
    REQUIRE(seen.size() == 6);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(seen[i].stage == "reading");
        CHECK(seen[i].segments == static_cast<std::int64_t>(i) + 1);
        CHECK(seen[i].total_bytes == 5 * 4096);
    }
    CHECK(seen[5].stage == "committing");
    CHECK(seen[5].plain_bytes == manifest.plain_total);
    CHECK(seen[5].stored_bytes == manifest.stored_total);

    seen.clear();
    CollectingTarget target;
    open_set({2}, manifest, bench.store, bench.home(), target, note);
    REQUIRE(seen.size() == 5);
    CHECK(seen.back().plain_bytes == manifest.plain_total);
    CHECK(seen.back().total_bytes == manifest.plain_total);
    seen.clear();
    verify_set(manifest, bench.store, note);
    CHECK(seen.size() == 5);
}

TEST_CASE("nothing in the store is readable without a key") {
    SetBench bench;
    const Bytes plain = "the secret customer list " + numbered_lines(10000);
    auto options = bench.options();
    options.compression = "none";
    bench.seal(plain, options);
    for (const auto& [key, bytes] : bench.store.objects()) {
        INFO(key);
        CHECK(bytes.find("customer") == std::string::npos);
        CHECK(bytes.find("of the table") == std::string::npos);
    }
}

TEST_CASE("every set has its own passphrase, and every segment its own session") {
    SetBench bench;
    const Bytes plain(2 * 4096, 'x');
    bench.seal(plain);
    bench.seal(plain);
    std::set<std::string> digests;
    std::size_t segments = 0;
    for (const auto& [key, bytes] : bench.store.objects())
        if (key.find("/data/") != std::string::npos) {
            digests.insert(sha256_hex(bytes));
            ++segments;
        }
    CHECK(segments == 4);
    CHECK(digests.size() == 4);
}

TEST_CASE("bulk encryption leaves no gpg-agent and no key ring behind") {
    gpg::initialise();
    const TempDir dir;
    const gpg::Home home = gpg::Home::create(dir.path() / "h");
    const gpg::BulkCipher cipher(home);
    const Secret passphrase = gpg::make_data_passphrase();
    CHECK(passphrase.reveal().size() == 44);
    MemFile plain("plain", 1000);
    const Bytes expected(plain.view());
    MemFile stored("stored");
    MemFile opened("opened", 70000);  // used before, and larger
    cipher.encrypt(plain, passphrase, stored);
    cipher.decrypt(stored, passphrase, 1000, opened);
    CHECK(opened.view() == expected);
    CHECK_FALSE(std::filesystem::exists(home.path() / "S.gpg-agent"));
    CHECK_FALSE(std::filesystem::exists(home.path() / "pubring.kbx"));

    CHECK_THROWS_AS(cipher.decrypt(stored, passphrase, 999, opened), Error);
    CHECK_THROWS_AS(cipher.decrypt(stored, gpg::make_data_passphrase(), 1000, opened), Error);
}

TEST_CASE("gpg reads a segment as AES256 with integrity protection and without its own compression") {
    SetBench bench;
    const Manifest manifest = bench.seal("hello");
    const Bytes& stored = bench.store.objects().at(segment_key(bench.server, manifest.set, 0));
    // RFC 4880: symmetric-key encrypted session key (tag 3): version 4, AES256 (9), iterated and salted S2K
    // (3) with SHA256 (8), coded count 96 = 65536; then tag 18, sym. encrypted and integrity protected data.
    REQUIRE(stored.size() > 20);
    CHECK(stored.substr(0, 6) == Bytes("\x8C\x0D\x04\x09\x03\x08", 6));
    CHECK(stored[14] == '\x60');
    CHECK(stored[15] == '\xD2');
}
