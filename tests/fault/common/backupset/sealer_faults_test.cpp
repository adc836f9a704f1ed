// Whatever fails while a set is made: the error names its stage, the source is ended, and nothing lists.
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "common/backupset/process_streams.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using test::BufferSource;
using test::FaultyStore;
using test::SetBench;

namespace {

Error failure_of(SetBench& bench, Source& source, storage::ObjectStore& store, const SealOptions& options,
                 const OnProgress& on_progress = {}) {
    try {
        seal(options, bench.next_set(), source, store, bench.home(), bench.clock, on_progress);
    } catch (const Error& error) {
        return error;
    }
    FAIL("the set was committed");
    throw Error(ErrorKind::internal, "unreachable");
}

Error failure_of(SetBench& bench, Source& source) {
    return failure_of(bench, source, bench.store, bench.options());
}

}  // namespace

TEST_CASE("a source that fails is no backup") {
    SetBench bench;
    SECTION("its exit status, after all bytes came") {
        BufferSource source(Bytes(10000, 'x'));
        source.fail_finish = true;
        const Error error = failure_of(bench, source);
        CHECK(error.kind() == ErrorKind::source);
        CHECK(error.text() == "source: the tool failed: exit code 1");
    }
    SECTION("while it is read") {
        BufferSource source(Bytes(100000, 'x'));
        source.fail_read_at = 50000;
        CHECK(failure_of(bench, source).text() == "source: the tool's pipe broke");
        CHECK(source.aborted);
        CHECK_FALSE(source.finished);
    }
    SECTION("it wrote nothing, although it says that all is well") {
        BufferSource source("");
        const Error error = failure_of(bench, source);
        CHECK(error.kind() == ErrorKind::source);
        CHECK(error.text() == "source: the source wrote nothing");
    }
    SECTION("it wrote nothing and failed: its own error is the one to see") {
        BufferSource source("");
        source.fail_finish = true;
        CHECK(failure_of(bench, source).text() == "source: the tool failed: exit code 1");
    }
    SECTION("a real child that is killed in the middle") {
        SpawnOptions spawn;
        spawn.argv = {"sh", "-c", "head -c 20000 /dev/zero; kill -9 $$"};
        ProcessSource source({"the tool", spawn});
        const Error error = failure_of(bench, source);
        CHECK(error.kind() == ErrorKind::source);
        CHECK(error.text().starts_with("source: the tool failed: ended by signal 9"));
    }
    CHECK(bench.store.objects().empty());
    CHECK(bench.list().empty());
}

TEST_CASE("a store that fails at any put is no backup") {
    SetBench bench;
    const Bytes plain(5 * 4096,
                      'x');  // 5 segments and the envelope in any order, the manifest, its signature
    for (const char* stored : {"nothing", "all", "half"}) {
        for (int n = 1; n <= 8; ++n) {
            INFO("put " << n << " fails, and stored " << stored);
            FaultyStore store(bench.store);
            store.fail_put = n;
            store.store_anyway = std::string_view(stored) == "all";
            store.store_part = std::string_view(stored) == "half";
            BufferSource source(plain);
            const Error error = failure_of(bench, source, store, bench.options());
            CHECK(error.kind() == ErrorKind::storage);
            CHECK(error.text().starts_with(n <= 6 ? "store: " : "commit: "));
            CHECK(error.text().find("no space left") != std::string::npos);
            CHECK(source.aborted);
            CHECK(bench.store.objects().empty());
            CHECK(bench.list().empty());
        }
    }
    FaultyStore store(bench.store);
    BufferSource source(plain);
    const Manifest manifest =
        seal(bench.options(), bench.next_set(), source, store, bench.home(), bench.clock);
    REQUIRE(store.puts() == 8);
    const auto puts = store.put_keys();
    CHECK(std::count(puts.begin(), puts.begin() + 6, envelope_key(bench.server, manifest.set)) == 1);
    CHECK(puts[6] == manifest_key(bench.server, manifest.set));
    CHECK(puts[7] == manifest_signature_key(bench.server, manifest.set));
}

TEST_CASE("a store that is gone for good leaves no set that lists") {
    SetBench bench;
    for (int n = 1; n <= 8; ++n) {
        INFO("gone at put " << n);
        FaultyStore store(bench.store);
        store.fail_put = n;
        store.fail_all_after = true;
        BufferSource source(Bytes(5 * 4096, 'x'));
        const Error error = failure_of(bench, source, store, bench.options());
        CHECK(error.text().find("put of") != std::string::npos);  // the first error, not the clean-up's
        CHECK(bench.list().empty());
    }
}

TEST_CASE("a store that is cut off in the middle of an object, for good, leaves no set that is trusted") {
    SetBench bench;
    const Bytes plain(3 * 4096, 'x');
    for (int n = 1; n <= 6; ++n) {
        INFO("cut off at put " << n);
        bench.store.objects().clear();
        FaultyStore store(bench.store);
        store.fail_put = n;
        store.store_part = true;
        store.fail_all_after = true;
        BufferSource source(plain);
        CHECK(failure_of(bench, source, store, bench.options()).text().find("put of") != std::string::npos);
        for (const auto& set : bench.list()) {
            CHECK(n == 6);  // half a signature
            CHECK_FALSE(set.manifest);
            CHECK_FALSE(set.problem.empty());
        }
        const Manifest next = bench.seal(plain);
        CHECK(bench.read(next.set).plain_total == 3 * 4096);
    }
}

TEST_CASE("a slow store slows the source down, and its failure is told at once") {
    SetBench bench;
    // Counts how far the source was read.
    class Counting : public BufferSource {
      public:
        using BufferSource::BufferSource;
        std::size_t read(char* data, std::size_t size) override {
            ++reads;
            return BufferSource::read(data, size);
        }
        std::atomic<int> reads = 0;
    };
    const Bytes plain(60 * 4096, 'x');
    FaultyStore store(bench.store);
    store.delay = std::chrono::milliseconds(60);
    {
        Counting source(plain);
        store.fail_put = 7;
        const Error error = failure_of(bench, source, store, bench.options());
        CHECK(error.text().starts_with("store: "));
        // Each of 3 workers holds one segment that is being put and one that is being made.
        CHECK(source.reads <= 7 + 3 * 3);
        CHECK(bench.store.objects().empty());
    }
    store.fail_put = 0;
    Counting source(plain);
    const Manifest manifest =
        seal(bench.options(), bench.next_set(), source, store, bench.home(), bench.clock);
    test::CollectingTarget target;
    open_set({3}, bench.read(manifest.set), bench.store, bench.home(), target);
    CHECK(target.bytes == plain);
}

TEST_CASE("a failing store ends a source that would go on for ever, also while it is silent") {
    SetBench bench;
    FaultyStore store(bench.store);
    store.fail_put = 1;
    SpawnOptions spawn;
    spawn.argv = {"sh", "-c", "head -c 4096 /dev/zero; sleep 120"};
    ProcessSource source({"the tool", spawn});
    const auto start = std::chrono::steady_clock::now();
    CHECK(failure_of(bench, source, store, bench.options()).text().starts_with("store: "));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
    CHECK(bench.store.objects().empty());
}

TEST_CASE("an error from the progress callback ends the work with that error") {
    SetBench bench;
    BufferSource source(Bytes(100 * 4096, 'x'));
    int calls = 0;
    const Error error = failure_of(bench, source, bench.store, bench.options(), [&](const Progress&) {
        if (++calls == 3) throw Error(ErrorKind::interrupted, "the job was cancelled");
    });
    CHECK(error.kind() == ErrorKind::interrupted);
    CHECK(error.text() == "the job was cancelled");
    CHECK(calls == 3);
    CHECK(source.aborted);
    CHECK(bench.store.objects().empty());
}

TEST_CASE("an identity that cannot take the envelope shows before the source is read") {
    SetBench bench;
    auto options = bench.options();
    options.identity = std::string(40, 'A');
    BufferSource source(Bytes(10000, 'x'));
    const Error error = failure_of(bench, source, bench.store, options);
    CHECK(error.kind() == ErrorKind::crypto);
    CHECK(error.text().starts_with("encrypt: "));
    CHECK(source.aborted);
    CHECK(bench.store.objects().empty());
}

TEST_CASE("options that make no sense are refused") {
    SetBench bench;
    const auto refused = [&](auto change) {
        auto options = bench.options();
        change(options);
        BufferSource source("x");
        CHECK(failure_of(bench, source, bench.store, options).kind() == ErrorKind::config);
    };
    refused([](SealOptions& o) { o.compression = "lz4"; });
    refused([](SealOptions& o) { o.level = 0; });
    refused([](SealOptions& o) { o.level = 23; });
    refused([](SealOptions& o) { o.segment_size = 0; });
    refused([](SealOptions& o) { o.segment_size = max_segment_size + 1; });
    refused([](SealOptions& o) { o.workers = -1; });
}

TEST_CASE("a gpg that is missing, dies, or says nothing is an error") {
    gpg::initialise();
    const TempDir dir;
    const gpg::Home home = gpg::Home::create(dir.path() / "h");
    const Secret passphrase = gpg::make_data_passphrase();
    const auto program = [&](const char* name, const std::string& script) {
        const auto path = dir.path() / name;
        std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
        ::chmod(path.c_str(), 0700);
        return path.string();
    };
    const auto failure = [&](const std::string& path) {
        MemFile out("out", 9000);
        try {
            gpg::BulkCipher(home, path).encrypt(MemFile("plain", 5000), passphrase, out);
        } catch (const Error& error) {
            CHECK(out.size() == 0);  // neither what it wrote nor what was there before
            return error;
        }
        FAIL("encrypted");
        throw Error(ErrorKind::internal, "unreachable");
    };
    CHECK(failure("/nonexistent/gpg").kind() == ErrorKind::tool_missing);
    const Error dead = failure(program("dead", "kill -9 $$"));
    CHECK(dead.kind() == ErrorKind::crypto);
    CHECK(dead.text().find("signal 9") != std::string::npos);
    const Error failing = failure(program("failing", "cat >/dev/null; echo 'out of memory' >&2; exit 2"));
    CHECK(failing.text().find("exit code 2: out of memory") != std::string::npos);
    // Exit status 0 alone is not success: no status line, no output, or only one of them.
    CHECK(failure(program("silent", "exit 0")).kind() == ErrorKind::crypto);
    CHECK(failure(program("no-status", "cat; cat /bin/sh; exit 0")).kind() == ErrorKind::crypto);
    CHECK(failure(program("no-output", "echo '[GNUPG:] END_ENCRYPTION' >&3")).kind() == ErrorKind::crypto);
    CHECK(failure(program("short", "echo '[GNUPG:] END_ENCRYPTION' >&3; head -c 4000")).kind() ==
          ErrorKind::crypto);
    // Plain text passed through with a good exit status is refused on the way back, too.
    const std::string pass = program("pass", "cat");
    MemFile out("out", 9000);
    CHECK_THROWS_AS(gpg::BulkCipher(home, pass).decrypt(MemFile("stored", 100), passphrase, 1000, out),
                    Error);
    CHECK(out.size() == 0);
    const std::string half = program("half", "echo '[GNUPG:] DECRYPTION_OKAY' >&3; cat");
    CHECK_THROWS_AS(gpg::BulkCipher(home, half).decrypt(MemFile("stored", 100), passphrase, 1000, out),
                    Error);
    CHECK(out.size() == 0);
}

TEST_CASE("OpenPGP data without integrity protection or without encryption is refused") {
    SetBench bench;
    const gpg::BulkCipher cipher(bench.home());
    const Secret passphrase = gpg::make_data_passphrase();
    // A literal data packet: gpg -d prints it and ends with 0.
    const Bytes literal = Bytes("\xCB\x0B", 2) + "b" + Bytes("\0", 1) + Bytes("\0\0\0\0", 4) + "hello";
    MemFile stored("stored", literal.size());
    MemFile out("out");
    literal.copy(stored.data(), literal.size());
    CHECK_THROWS_AS(cipher.decrypt(stored, passphrase, 1000, out), Error);
    CHECK_THROWS_AS(cipher.decrypt(MemFile("empty"), passphrase, 1000, out), Error);
}
