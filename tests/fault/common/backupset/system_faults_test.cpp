// A backup to a real local store while the system fails below it, at every call and many offsets: the stage
// and the cause are told, nothing lists, no file is left, and the next backup works.
#include "common/base/ids.hpp"
#include "tests/fault/common/backupset/disk_bench.hpp"
#include "tests/fault/faulty_calls.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using test::BufferSource;
using test::DiskBench;
using test::FaultyCalls;

namespace {

constexpr int fault_segments = 5;

// How many calls of this kind (for "write": bytes) a backup without a fault makes.
long calls_of(DiskBench& disk, const std::string& call) {
    BufferSource source(DiskBench::segments(fault_segments));
    const FaultyCalls counting(call + " 5 1000000000 " + disk.root().string());
    seal(disk.bench.options(), disk.bench.next_set(), source, disk.store, disk.bench.home(),
         disk.bench.clock);
    const long out = FaultyCalls::seen();
    std::filesystem::remove_all(disk.root() / disk.bench.server);
    return out;
}

void check_fault(DiskBench& disk, const std::string& rule, const std::string& cause) {
    INFO(rule);
    {
        const FaultyCalls fault(rule);
        const Error error = disk.failure(DiskBench::segments(fault_segments));
        INFO(error.text());
        CHECK(FaultyCalls::failed() > 0);
        CHECK(error.kind() == ErrorKind::storage);
        CHECK((error.text().starts_with("store: object " + disk.bench.server) ||
               error.text().starts_with("commit: object " + disk.bench.server)));
        CHECK(error.text().ends_with(cause));
        CHECK_FALSE(error.hint().empty());
    }
    disk.check_nothing_left();
    disk.check_next_works();
}

}  // namespace

TEST_CASE("EIO on any fsync of a backup is no backup") {
    DiskBench disk;
    const long calls = calls_of(disk, "fsync");
    REQUIRE(calls >= 2 * (fault_segments + 3));  // each object, and its folder
    for (long n = 1; n <= calls; ++n)
        check_fault(disk, "fsync 5 " + std::to_string(n) + " " + disk.root().string(), "Input/output error");
}

TEST_CASE("a rename that fails is no backup") {
    DiskBench disk;
    const long calls = calls_of(disk, "rename");
    REQUIRE(calls == fault_segments + 3);
    for (long n = 1; n <= calls; ++n)
        check_fault(disk, "rename 13 " + std::to_string(n) + " " + disk.root().string(), "Permission denied");
}

TEST_CASE("a disk that is full at any offset is no backup") {
    DiskBench disk;
    const long bytes = calls_of(disk, "write");
    REQUIRE(bytes > 1000);
    const auto full_after = [&](long offset) {
        check_fault(disk, "write 28 " + std::to_string(offset) + " " + disk.root().string(),
                    "No space left on device");
    };
    // The last object is the signature, which is at least 64 bytes.
    for (const long offset : {0L, 1L, 50L, bytes - 60, bytes - 1}) full_after(offset);
    for (int i = 1; i < 30; ++i) full_after(bytes * i / 30);
}

TEST_CASE("a compressor that fails at any segment is no backup") {
    DiskBench disk;
    for (int n = 1; n <= fault_segments; ++n) {
        INFO("segment " << n);
        {
            const FaultyCalls fault("compress 0 " + std::to_string(n) + " -");
            const Error error = disk.failure(DiskBench::segments(fault_segments));
            CHECK(FaultyCalls::failed() > 0);
            CHECK(error.text().starts_with("compress: zstd: "));
            CHECK(error.text().find("memory") != std::string::npos);
        }
        disk.check_nothing_left();
        disk.check_next_works();
    }
}

TEST_CASE("large segments pass the page cache by, and fail as loudly") {
    DiskBench disk;
    auto options = disk.bench.options(2 << 20);
    options.compression = "none";
    for (const long offset : {0L, 1L << 20U, (2L << 20U) + 5000, (5L << 20U) + 1}) {
        INFO("full after " << offset);
        {
            BufferSource source(random_bytes(5 << 20));
            const FaultyCalls fault("write 28 " + std::to_string(offset) + " " + disk.root().string());
            CHECK_THROWS_WITH(
                seal(options, disk.bench.next_set(), source, disk.store, disk.bench.home(), disk.bench.clock),
                Catch::EndsWith("No space left on device"));
            CHECK(FaultyCalls::failed() > 0);
        }
        disk.check_nothing_left();
    }
    disk.check_next_works();
}
