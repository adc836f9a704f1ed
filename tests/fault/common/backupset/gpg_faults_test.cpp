// gpg dies, at every stage of a backup and at many moments of a run, or is not there.
#include "common/base/ids.hpp"
#include "tests/fault/common/backupset/disk_bench.hpp"
#include "tests/fault/common/backupset/flaky_gpg.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using test::BufferSource;
using test::DiskBench;
using test::FlakyGpg;

namespace {

struct Death {
    const char* name;
    const char* script;
};
constexpr Death deaths[] = {
    {"at once, by a signal", "kill -9 $$"},
    {"at once, with a bad status", "exit 2"},
    {"before it reads its input", "$real --version >/dev/null; kill -TERM $$"},
    {"with nothing written and a good status", "cat >/dev/null; exit 0"},
    {"in the middle of its output", "$real \"$@\" | head -c 40; kill -9 $$"},
    {"in the middle of its output, with a bad status", "$real \"$@\" | head -c 40; exit 2"},
    {"with half its output, a good status and its success said", "$real \"$@\" | head -c 40; exit 0"},
    {"after its output, with a bad status", "$real \"$@\"; exit 2"},
    {"after its output, by a signal", "$real \"$@\"; kill -SEGV $$"},
};

}  // namespace

TEST_CASE("a gpg that dies at any segment is no backup") {
    DiskBench disk;
    FlakyGpg gpg;
    const auto noise = random_bytes(5 * DiskBench::segment_bytes);  // so that half an output shows
    for (const Death& death : deaths) {
        for (const int run : {1, 3, 5}) {
            INFO("gpg of segment " << run << " dies " << death.name);
            gpg.fail("--symmetric", run, death.script);
            const Error error = disk.failure(noise);
            INFO(error.text());
            CHECK(gpg.was_reached(run));
            CHECK(error.kind() == ErrorKind::crypto);
            CHECK(error.text().starts_with("encrypt: gpg did not encrypt: "));
            disk.check_nothing_left();
        }
        gpg.behave();
        disk.check_next_works();
    }
}

TEST_CASE("a gpg that dies at the envelope or at the signature is no backup") {
    DiskBench disk;
    FlakyGpg gpg;
    const auto dies = [&](const char* kind, const char* stage, const char* script) {
        INFO(kind << ": " << script);
        gpg.fail(kind, 1, script);
        const Error error = disk.failure(DiskBench::segments(3));
        INFO(error.text());
        CHECK(gpg.was_reached(1));
        CHECK(error.kind() == ErrorKind::crypto);
        CHECK(error.text().starts_with(stage));
        disk.check_nothing_left();
    };
    for (const char* script :
         {"kill -9 $$", "exit 2", "cat >/dev/null; exit 0", "$real \"$@\" | head -c 40; exit 2",
          "$real \"$@\" | head -c 100; kill -9 $$"}) {
        dies("--encrypt", "encrypt: ", script);
        dies("--detach-sign", "commit: ", script);
    }
    dies("--detach-sign", "commit: ", "$real \"$@\"; kill -9 $$");
    // GPGME asks gpg's status messages, not its exit status: a message that is whole is taken.
    gpg.behave();
    disk.check_next_works();
}

TEST_CASE("a gpg that goes missing in the middle of a backup is named") {
    DiskBench disk;
    FlakyGpg gpg;
    // Takes gpg away once the third segment was asked for.
    class Vanishing : public BufferSource {
      public:
        Vanishing(Bytes bytes, FlakyGpg& gpg) : BufferSource(std::move(bytes)), gpg_(gpg) {}
        std::size_t read(char* data, std::size_t size) override {
            if (++reads_ == 3) gpg_.remove();
            return BufferSource::read(data, size);
        }

      private:
        FlakyGpg& gpg_;
        int reads_ = 0;
    };
    const auto vanish = [&] {
        gpg.behave();
        Vanishing source(DiskBench::segments(5), gpg);
        Error error = disk.failure(source, disk.store);
        CHECK(source.aborted);
        return error;
    };
    Error error = vanish();
    // The stand-in is a script: taken away between the start of its shell and the shell's reading it, it dies
    // of that, as the true gpg cannot.
    for (int i = 0; i < 20 && error.text().find("/bin/sh: ") != std::string::npos; ++i) error = vanish();
    INFO(error.text());
    CHECK(error.kind() == ErrorKind::tool_missing);
    CHECK(error.text().starts_with("encrypt: "));
    CHECK(error.text().find("/gpg") != std::string::npos);
    gpg.behave();
    disk.check_nothing_left();
    disk.check_next_works();

    gpg.remove();
    const Error before = disk.failure(DiskBench::segments(1));
    INFO(before.text());
    CHECK(before.text().starts_with("encrypt: "));
    gpg.behave();
    disk.check_nothing_left();
    disk.check_next_works();
}

TEST_CASE("a gpg that dies while a set is opened releases nothing of its segment") {
    DiskBench disk;
    const Bytes plain = random_bytes(5 * DiskBench::segment_bytes);
    BufferSource source(plain);
    const Manifest manifest = seal(disk.bench.options(), disk.bench.next_set(), source, disk.store,
                                   disk.bench.home(), disk.bench.clock);
    FlakyGpg gpg;
    for (const Death& death : deaths) {
        for (const int run : {1, 2, 5}) {  // the first opens the envelope
            // There GPGME relies on what gpg says, which is nothing when it dies before the end.
            if (run == 1 && std::string(death.script).starts_with("$real \"$@\"")) continue;
            INFO("decryption " << run << " dies " << death.name);
            gpg.fail("--decrypt", run, death.script);
            test::CollectingTarget target;
            try {
                open_set({1}, manifest, disk.store, disk.bench.home(), target);
                FAIL("opened");
            } catch (const Error& error) {
                INFO(error.text());
                CHECK(gpg.was_reached(run));
                const std::string object =
                    run == 1 ? "envelope.gpg" : "segment " + std::to_string(run - 2) + " (";
                CHECK(error.text().find(object) != std::string::npos);
                CHECK_FALSE(error.hint().empty());
            }
            const auto released = static_cast<std::size_t>(std::max(0, run - 2)) * DiskBench::segment_bytes;
            CHECK(target.bytes == plain.substr(0, released));
            CHECK_FALSE(target.committed);
        }
    }
    gpg.behave();
    test::CollectingTarget target;
    open_set({1}, manifest, disk.store, disk.bench.home(), target);
    CHECK(target.bytes == plain);
}
