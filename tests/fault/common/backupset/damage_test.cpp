// Every kind of damage to a stored set: refused, with the object named; no byte of a damaged segment reaches
// the target, and the target is never committed.
#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/gpg/message.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using test::CollectingTarget;
using test::SetBench;

namespace {

constexpr std::size_t segment_bytes = 4096;

// Five segments; each is one letter, so that it shows which of them reached the target.
Bytes five_letters(char first = 'a') {
    Bytes out;
    for (char c = first; c < first + 5; ++c) out += Bytes(segment_bytes, c);
    return out;
}

struct Outcome {
    Error error{ErrorKind::internal, "none"};
    Bytes released;
};

// Reads the manifest and opens the set, as a restore does.
Outcome refused(SetBench& bench, const std::string& set, storage::ObjectStore& store, int workers = 3) {
    CollectingTarget target;
    try {
        const Manifest manifest = read_manifest(store, bench.server, set, bench.home(), bench.identity);
        open_set({workers}, manifest, store, bench.home(), target);
    } catch (const Error& error) {
        CHECK_FALSE(target.committed);
        return {error, target.bytes};
    }
    FAIL("the damaged set was restored");
    return {};
}
Outcome refused(SetBench& bench, const std::string& set) {
    return refused(bench, set, bench.store);
}

void check_segment_named(const SetBench& bench, const std::string& set, const Outcome& outcome, int index,
                         char first = 'a') {
    CHECK(outcome.error.kind() == ErrorKind::corrupt);
    CHECK(outcome.error.text().find("segment " + std::to_string(index) + " (" +
                                    segment_key(bench.server, set, index) + ")") != std::string::npos);
    CHECK(outcome.error.hint().find("--set") != std::string::npos);
    CHECK(outcome.error.hint().find("another copy of the store") != std::string::npos);
    // Whole segments before the damaged one may have been released, and nothing else.
    CHECK(outcome.released == five_letters(first).substr(0, static_cast<std::size_t>(index) * segment_bytes));
}

}  // namespace

TEST_CASE("a damaged segment is refused by name") {
    SetBench bench;
    const Manifest manifest = bench.seal(five_letters());
    const std::string set = manifest.set;
    const auto good = bench.store.objects();
    for (const int index : {0, 1, 2, 3, 4}) {
        const std::string key = segment_key(bench.server, set, index);
        const auto try_damage = [&](const char* name, auto change) {
            INFO(name << " of segment " << index);
            bench.store.objects() = good;
            change(bench.store.objects());
            const Outcome outcome = refused(bench, set);
            INFO(outcome.error.text());
            check_segment_named(bench, set, outcome, index);
            try {
                verify_set(manifest, bench.store);
                FAIL("verified");
            } catch (const Error& error) {
                CHECK(error.text().find(key) != std::string::npos);
            }
        };
        try_damage("first bit flipped", [&](auto& objects) { objects[key][0] ^= 1; });
        try_damage("middle bit flipped",
                   [&](auto& objects) { objects[key][objects[key].size() / 2] ^= 0x40; });
        try_damage("last bit flipped", [&](auto& objects) { objects[key].back() ^= 1; });
        try_damage("truncated", [&](auto& objects) { objects[key].pop_back(); });
        try_damage("emptied", [&](auto& objects) { objects[key].clear(); });
        try_damage("longer", [&](auto& objects) { objects[key] += "x"; });
        try_damage("missing", [&](auto& objects) { objects.erase(key); });
    }
    bench.store.objects() = good;
    CollectingTarget target;
    open_set({3}, bench.read(set), bench.store, bench.home(), target);
    CHECK(target.bytes == five_letters());
}

TEST_CASE("segments in the wrong place are refused") {
    SetBench bench;
    const std::string set = bench.seal(five_letters()).set;
    const std::string other = bench.seal(five_letters('p')).set;
    auto& objects = bench.store.objects();
    const auto good = objects;
    SECTION("any two of the same set swapped") {
        for (int i = 0; i < 5; ++i) {
            for (int j = i + 1; j < 5; ++j) {
                INFO(i << " and " << j);
                objects = good;
                std::swap(objects[segment_key(bench.server, set, i)],
                          objects[segment_key(bench.server, set, j)]);
                check_segment_named(bench, set, refused(bench, set), i);
            }
        }
    }
    SECTION("one of another set, which is newer or older") {
        for (int i = 0; i < 5; ++i) {
            INFO(i);
            objects = good;
            objects[segment_key(bench.server, set, i)] = good.at(segment_key(bench.server, other, i));
            check_segment_named(bench, set, refused(bench, set), i);
            objects = good;
            objects[segment_key(bench.server, other, i)] = good.at(segment_key(bench.server, set, i));
            check_segment_named(bench, other, refused(bench, other), i, 'p');
        }
    }
    SECTION("all data of another set") {
        for (int i = 0; i < 5; ++i)
            objects[segment_key(bench.server, set, i)] = objects[segment_key(bench.server, other, i)];
        check_segment_named(bench, set, refused(bench, set), 0);
    }
}

TEST_CASE("an older set cannot pass as a newer one") {
    SetBench bench;
    const std::string older = bench.seal(five_letters()).set;
    const std::string newer = bench.seal(five_letters('p')).set;
    auto& objects = bench.store.objects();
    for (int i = 0; i < 5; ++i)
        objects[segment_key(bench.server, newer, i)] = objects[segment_key(bench.server, older, i)];
    for (const auto part : {envelope_key, manifest_key, manifest_signature_key})
        objects[part(bench.server, newer)] = objects[part(bench.server, older)];
    const Outcome outcome = refused(bench, newer);
    CHECK(outcome.error.kind() == ErrorKind::corrupt);
    CHECK(outcome.error.text().find(newer) != std::string::npos);
    CHECK(outcome.error.text().find(older) != std::string::npos);
    CHECK(outcome.released.empty());
    const auto sets = bench.list();
    REQUIRE(sets.size() == 2);
    CHECK(sets[0].problem.empty());
    CHECK_FALSE(sets[1].problem.empty());
    CHECK_FALSE(sets[1].manifest);
}

TEST_CASE("a set of another server is refused") {
    SetBench bench;
    const std::string set = bench.seal(five_letters()).set;
    const std::string elsewhere = random_uuid();
    auto objects = bench.store.objects();
    for (const auto& [key, bytes] : objects)
        bench.store.objects()[elsewhere + key.substr(elsewhere.size())] = bytes;
    try {
        read_manifest(bench.store, elsewhere, set, bench.home(), bench.identity);
        FAIL("accepted");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::corrupt);
        CHECK(error.text().find(bench.server) != std::string::npos);
    }
}

TEST_CASE("a manifest that its server did not sign is refused") {
    SetBench bench;
    const std::string set = bench.seal(five_letters()).set;
    const std::string manifest = manifest_key(bench.server, set);
    const std::string signature = manifest_signature_key(bench.server, set);
    auto& objects = bench.store.objects();
    const auto check_refused = [&](ErrorKind kind) {
        const Outcome outcome = refused(bench, set);
        INFO(outcome.error.text());
        CHECK(outcome.error.kind() == kind);
        CHECK(outcome.error.text().find(set) != std::string::npos);
        CHECK(outcome.released.empty());
        const auto sets = bench.list();
        REQUIRE(sets.size() == 1);
        CHECK_FALSE(sets[0].manifest);
        CHECK_FALSE(sets[0].problem.empty());
    };
    SECTION("one digit changed") {
        objects[manifest][objects[manifest].find("\"plain_total\": ") + 15] ^= 1;
        check_refused(ErrorKind::crypto);
    }
    SECTION("a space added at the end") {
        objects[manifest] += ' ';
        check_refused(ErrorKind::crypto);
    }
    SECTION("signature damaged") {
        objects[signature][objects[signature].size() / 2] ^= 1;
        check_refused(ErrorKind::crypto);
    }
    SECTION("signature empty") {
        objects[signature].clear();
        check_refused(ErrorKind::crypto);
    }
    SECTION("signed by another key of the same home") {
        const std::string other = gpg::generate_key(bench.home(), "mallory@agents.test", "ed25519");
        objects[signature] = gpg::sign_detached(bench.home(), other, objects[manifest]);
        check_refused(ErrorKind::crypto);
    }
    SECTION("signed twice") {
        objects[signature] += objects[signature];
        check_refused(ErrorKind::crypto);
    }
    SECTION("manifest missing") {
        objects.erase(manifest);
        check_refused(ErrorKind::corrupt);
    }
    SECTION("properly signed, but of a version to come") {
        auto& text = objects[manifest];
        text.replace(text.find("\"version\": 1"), 12, "\"version\": 2");
        objects[signature] = gpg::sign_detached(bench.home(), bench.identity, text);
        check_refused(ErrorKind::corrupt);
    }
    SECTION("properly signed, but it lists fewer segments than its totals say") {
        auto& text = objects[manifest];
        const auto line = text.find("{\"index\":4,");
        text.erase(line, text.find('\n', line) + 1 - line);
        text.erase(text.rfind(',', line), 1);
        objects[signature] = gpg::sign_detached(bench.home(), bench.identity, text);
        check_refused(ErrorKind::corrupt);
    }
}

TEST_CASE("without its signature a set does not exist") {
    SetBench bench;
    const std::string set = bench.seal(five_letters()).set;
    bench.store.objects().erase(manifest_signature_key(bench.server, set));
    CHECK(bench.list().empty());
    CHECK(refused(bench, set).error.kind() == ErrorKind::not_found);
}

TEST_CASE("a damaged or foreign envelope opens nothing") {
    SetBench bench;
    const std::string set = bench.seal(five_letters()).set;
    const std::string other = bench.seal(five_letters('p')).set;
    const std::string key = envelope_key(bench.server, set);
    auto& objects = bench.store.objects();
    SECTION("of another set of the same server") {
        objects[key] = objects[envelope_key(bench.server, other)];
        const Outcome outcome = refused(bench, set);
        CHECK(outcome.error.kind() == ErrorKind::corrupt);
        CHECK(outcome.error.text().find("segment 0") != std::string::npos);
        CHECK(outcome.released.empty());
    }
    SECTION("flipped") {
        objects[key][objects[key].size() - 5] ^= 1;
        const Outcome outcome = refused(bench, set);
        CHECK(outcome.error.text().find(key) != std::string::npos);
        CHECK(outcome.released.empty());
    }
    SECTION("missing") {
        objects.erase(key);
        const Outcome outcome = refused(bench, set);
        CHECK(outcome.error.kind() == ErrorKind::corrupt);
        CHECK(outcome.error.text().find(key) != std::string::npos);
        CHECK_THROWS_AS(verify_set(bench.read(set), bench.store), Error);
    }
    SECTION("with more than one line in it") {
        objects[key] = gpg::encrypt(bench.home(), {bench.identity}, "one\ntwo\n");
        CHECK(refused(bench, set).error.text().find("one passphrase line") != std::string::npos);
    }
}

TEST_CASE("a home without the server's key says which key is needed") {
    SetBench bench;
    const Manifest manifest = bench.seal(five_letters());
    const gpg::TempHome stranger;
    CollectingTarget target;
    try {
        open_set({2}, manifest, bench.store, stranger.home(), target);
        FAIL("opened");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::crypto);
        CHECK(error.text().find("envelope.gpg") != std::string::npos);
        CHECK(error.hint().find("strongroom recover --server " + bench.server) != std::string::npos);
    }
    CHECK(target.bytes.empty());
    CHECK_FALSE(target.committed);
}

TEST_CASE("a target or a store that fails ends the restore without commit") {
    SetBench bench;
    const Manifest manifest = bench.seal(five_letters());
    CollectingTarget full;
    full.fail_after = 2 * segment_bytes;
    CHECK_THROWS_WITH(open_set({3}, manifest, bench.store, bench.home(), full), "the disk is full");
    CHECK_FALSE(full.committed);
    CHECK(full.bytes.size() == 2 * segment_bytes);

    test::FaultyStore store(bench.store);
    store.fail_get = segment_key(bench.server, manifest.set, 3);
    const Outcome outcome = refused(bench, manifest.set, store);
    CHECK(outcome.error.kind() == ErrorKind::storage);  // not called damage: the next try may succeed
    CHECK(outcome.error.text().find("segment 3") != std::string::npos);
    CHECK(outcome.released.size() == 3 * segment_bytes);

    CollectingTarget target;
    CHECK_THROWS_WITH(open_set({3}, manifest, bench.store, bench.home(), target,
                               [](const Progress& progress) {
                                   if (progress.segments == 2) throw Error(ErrorKind::interrupted, "stopped");
                               }),
                      "stopped");
    CHECK_FALSE(target.committed);
}

TEST_CASE("a signed digest of another message does not help: gpg refuses it before zstd sees it") {
    SetBench bench;
    Manifest manifest = bench.seal(five_letters());
    // As if the server itself had signed what another passphrase encrypted.
    const gpg::BulkCipher cipher(bench.home());
    MemFile stored("stored");
    cipher.encrypt(MemFile("plain", segment_bytes), gpg::make_data_passphrase(), stored);
    bench.store.put(segment_key(bench.server, manifest.set, 1), stored.view());
    manifest.segments[1].stored_size = static_cast<std::int64_t>(stored.size());
    manifest.segments[1].sha256 = sha256_hex(stored.view());
    CollectingTarget target;
    try {
        open_set({1}, manifest, bench.store, bench.home(), target);
        FAIL("opened");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::corrupt);
        CHECK(error.text().find("segment 1") != std::string::npos);
        CHECK(error.text().find("gpg did not decrypt") != std::string::npos);
    }
    CHECK(target.bytes == Bytes(segment_bytes, 'a'));
    CHECK_FALSE(target.committed);
}
