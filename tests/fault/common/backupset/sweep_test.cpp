// Damage at random offsets of random objects of a set. SEED=N repeats a run.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <random>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/gpg/message.hpp"
#include "tests/fault/common/backupset/flaky_gpg.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using test::CollectingTarget;
using test::SetBench;

namespace {

constexpr std::size_t sweep_bytes = 1000;
constexpr int sweep_segments = 4;

class Chance {
  public:
    Chance() {
        const char* given = std::getenv("SEED");
        const auto seed = given != nullptr ? std::strtoul(given, nullptr, 10) : std::random_device{}();
        engine_.seed(static_cast<std::mt19937::result_type>(seed));
        std::cout << "SEED=" << seed << " repeats \"" << Catch::getResultCapture().getCurrentTestName()
                  << "\"\n";
    }
    std::size_t below(std::size_t limit) { return engine_() % limit; }

    // Flips a bit, changes a byte, cuts the end off, or removes or repeats a byte; returns what it did.
    std::string damage(Bytes& bytes) {
        const std::size_t at = below(bytes.size());
        const std::string where = " at " + std::to_string(at) + " of " + std::to_string(bytes.size());
        switch (below(8)) {
            case 0:
                bytes.resize(at);
                return "cut" + where;
            case 1:
                bytes.erase(at, 1);
                return "byte removed" + where;
            case 2:
                bytes.insert(at, 1, static_cast<char>(below(256)));
                return "byte inserted" + where;
            case 3:
                bytes[at] = static_cast<char>(bytes[at] + 1 + static_cast<int>(below(255)));
                return "byte changed" + where;
            default:
                bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
                return "bit flipped" + where;
        }
    }

  private:
    std::mt19937 engine_;
};

Bytes noise(Chance& chance, std::size_t size) {
    Bytes out;
    while (out.size() < size) out += static_cast<char>(chance.below(256));
    return out;
}

struct Sweep {
    Sweep() {
        plain = noise(chance, sweep_segments * sweep_bytes - 10);
        manifest = bench.seal(plain, bench.options(sweep_bytes));
        good = bench.store.objects();
    }
    Bytes prefix(std::size_t segments) const { return plain.substr(0, segments * sweep_bytes); }

    // The outcome of a restore by `trusted`, which names segment `index` as the damaged one.
    void check_segment_refused(const Manifest& trusted, std::size_t index) {
        CollectingTarget target;
        try {
            open_set({2}, trusted, bench.store, bench.home(), target);
            FAIL("opened");
        } catch (const Error& error) {
            INFO(error.text());
            CHECK(error.kind() == ErrorKind::corrupt);
            CHECK(error.text().starts_with(
                "segment " + std::to_string(index) + " (" +
                segment_key(bench.server, trusted.set, trusted.segments[index].index) + "): "));
            CHECK(error.hint().starts_with("Restore an older set with --set"));
        }
        CHECK(target.bytes == prefix(index));
        CHECK_FALSE(target.committed);
    }

    SetBench bench;
    Chance chance;
    Bytes plain;
    Manifest manifest;
    std::map<std::string, Bytes> good;
};

}  // namespace

TEST_CASE("600 random damages of a set's objects: each is refused, or does not matter to a single byte") {
    Sweep sweep;
    SetBench& bench = sweep.bench;
    const std::string& set = sweep.manifest.set;
    auto& objects = bench.store.objects();
    int harmless = 0;
    for (int i = 0; i < 600; ++i) {
        objects = sweep.good;
        const std::size_t which = sweep.chance.below(sweep_segments + 3);
        const std::string key = which < sweep_segments
                                    ? segment_key(bench.server, set, static_cast<std::int64_t>(which))
                                : which == sweep_segments     ? manifest_key(bench.server, set)
                                : which == sweep_segments + 1 ? manifest_signature_key(bench.server, set)
                                                              : envelope_key(bench.server, set);
        const std::string what = sweep.chance.damage(objects[key]);
        INFO("damage " << i << ": " << key << ", " << what);
        if (objects[key] == sweep.good[key]) continue;  // a repeated byte beside its like
        if (which < sweep_segments) {
            sweep.check_segment_refused(sweep.manifest, which);
            continue;
        }
        CollectingTarget target;
        try {
            const Manifest manifest = which == sweep_segments + 2 ? sweep.manifest : bench.read(set);
            // Only what is not signed may differ without harm: the packets around a signature or an envelope.
            CHECK(which != sweep_segments);
            CHECK(encode_manifest(manifest) == sweep.good[manifest_key(bench.server, set)]);
            open_set({2}, manifest, bench.store, bench.home(), target);
            CHECK(target.bytes == sweep.plain);
            ++harmless;
        } catch (const Error& error) {
            INFO(error.text());
            CHECK(error.text().find(set) != std::string::npos);
            CHECK(target.bytes.empty());
            CHECK_FALSE(target.committed);
        }
    }
    std::cout << harmless << " of 600 damages changed nothing that counts\n";
    CHECK(harmless < 60);
    objects = sweep.good;
    CollectingTarget target;
    open_set({2}, bench.read(set), bench.store, bench.home(), target);
    CHECK(target.bytes == sweep.plain);
}

TEST_CASE("a damaged segment is refused before gpg sees it") {
    Sweep sweep;
    test::FlakyGpg gpg;
    for (int i = 0; i < 20; ++i) {
        sweep.bench.store.objects() = sweep.good;
        INFO(sweep.chance.damage(
            sweep.bench.store.objects()[segment_key(sweep.bench.server, sweep.manifest.set, 0)]));
        gpg.fail("--decrypt", 1000, "");
        CollectingTarget target;
        CHECK_THROWS_AS(open_set({1}, sweep.manifest, sweep.bench.store, sweep.bench.home(), target), Error);
        CHECK(gpg.was_reached(1));        // the envelope
        CHECK_FALSE(gpg.was_reached(2));  // no segment
    }
}

// gpg 2.2 reads a packet's last chunk to the end of the file whatever its length octets say: damage there,
// and only there, decrypts to the very bytes that were encrypted.
TEST_CASE(
    "500 random damages under a signed digest: gpg's own integrity check refuses each, or nothing changed") {
    Sweep sweep;
    const gpg::BulkCipher cipher(sweep.bench.home());
    const Secret passphrase = gpg::make_data_passphrase();
    const Bytes secret = noise(sweep.chance, 3000);
    MemFile plain("plain", secret.size());
    secret.copy(plain.data(), secret.size());
    MemFile stored("stored");
    cipher.encrypt(plain, passphrase, stored);
    const Bytes message(stored.view());
    MemFile out("out");
    int harmless = 0;
    for (int i = 0; i < 500; ++i) {
        Bytes damaged = message;
        const std::string what = sweep.chance.damage(damaged);
        INFO("damage " << i << ": " << what);
        if (damaged == message) continue;
        stored.resize(damaged.size());
        damaged.copy(stored.data(), damaged.size());
        try {
            cipher.decrypt(stored, passphrase, secret.size() + 1000, out);
            CHECK(out.view() == secret);
            ++harmless;
            continue;
        } catch (const Error& error) {
            INFO(error.text());
            CHECK(error.kind() == ErrorKind::crypto);
            CHECK(error.text().starts_with("gpg did not decrypt: "));
        }
        CHECK(out.size() == 0);
    }
    CHECK(harmless < 10);  // two octets of 3072
}

TEST_CASE("a manifest that the server signed over damaged bytes releases none of them") {
    Sweep sweep;
    SetBench& bench = sweep.bench;
    const std::string& set = sweep.manifest.set;
    for (int i = 0; i < 100; ++i) {
        bench.store.objects() = sweep.good;
        const std::size_t which = sweep.chance.below(sweep_segments);
        Manifest manifest = sweep.manifest;
        Segment& segment = manifest.segments[which];
        Bytes& bytes = bench.store.objects()[segment_key(bench.server, set, segment.index)];
        INFO("damage " << i << ": segment " << which << ", " << sweep.chance.damage(bytes));
        if (bytes.empty() || bytes == sweep.good[segment_key(bench.server, set, segment.index)]) continue;
        manifest.stored_total += static_cast<std::int64_t>(bytes.size()) - segment.stored_size;
        segment.stored_size = static_cast<std::int64_t>(bytes.size());
        segment.sha256 = sha256_hex(bytes);
        const Bytes text = encode_manifest(manifest);
        bench.store.put(manifest_key(bench.server, set), text);
        bench.store.put(manifest_signature_key(bench.server, set),
                        gpg::sign_detached(bench.home(), bench.identity, text));
        sweep.check_segment_refused(bench.read(set), which);
    }
}
