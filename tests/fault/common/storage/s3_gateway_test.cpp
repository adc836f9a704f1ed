// Sealing into a real S3 gateway that dies, hangs, is full, or refuses: the backup ends whole after a short
// outage, or fails with the cause; nothing damaged ever lists.
#include <catch2/catch.hpp>
#include <ctime>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/subprocess.hpp"
#include "common/storage/guarded_store.hpp"
#include "common/storage/open/open_store.hpp"
#include "common/storage/s3/s3_store.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/s3_server.hpp"
#include "tests/support/scripted_store.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace std::chrono_literals;
using test::error_of;

namespace {

std::atomic<std::time_t> clock_offset = 0;

// Segments that do not compress, so that each is a real upload.
struct GatewayBench : test::SetBench {
    GatewayBench() { settings.s3.stall_timeout = 3; }

    std::shared_ptr<storage::RetryingStore> open(storage::RetryPolicy retry) {
        script = std::make_shared<test::ScriptedStore>(storage::open_store(url, false, settings));
        return storage::guard_store(script, {.timeout = 60s, .retry = retry});
    }
    Error failing_seal(storage::ObjectStore& into) {
        test::BufferSource source(plain);
        return error_of(
            [&] { backupset::seal(options(256 << 10), next_set(), source, into, home(), clock); });
    }
    std::size_t listed() {
        return backupset::list_sets(*storage::open_store(url, false, settings), server, home(), identity)
            .size();
    }

    test::S3Server s3;
    std::string url = s3.make_bucket() + "/prefix";
    storage::StoreSettings settings = s3.settings(true);
    Bytes plain = random_bytes(6 << 20);
    std::shared_ptr<test::ScriptedStore> script;
};

}  // namespace

// Takes the place of the C library's, also for libcurl, which dates and signs requests by it.
extern "C" std::time_t time(std::time_t* out) noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    if (out != nullptr) *out = now.tv_sec + clock_offset;
    return now.tv_sec + clock_offset;
}

TEST_CASE("a gateway that dies and hangs in the middle of a backup") {
    GatewayBench bench;
    std::jthread helper;
    SECTION("killed and restarted: the backup ends whole") {
        const auto store = bench.open({.attempts = 20, .first_pause = 50ms, .longest_pause = 500ms});
        bench.script->before_put = [&](const std::string&, int number) {
            if (number != 8) return;
            bench.s3.kill_gateway();
            helper = std::jthread([&] {
                std::this_thread::sleep_for(1s);
                bench.s3.start_gateway();
            });
        };
        test::BufferSource source(bench.plain);
        const std::string set = bench.next_set();
        const auto manifest =
            backupset::seal(bench.options(256 << 10), set, source, *store, bench.home(), bench.clock);
        helper.join();
        CHECK(store->retries() > 0);
        CHECK(manifest.segments.size() == 24);
        test::CollectingTarget target;
        backupset::open_set({},
                            backupset::read_manifest(*store, bench.server, set, bench.home(), bench.identity),
                            *store, bench.home(), target);
        CHECK(target.committed);
        CHECK(target.bytes == bench.plain);
    }
    SECTION("killed for good: the backup fails with the cause, and nothing lists") {
        const auto store = bench.open({.attempts = 3, .first_pause = 50ms});
        bench.script->before_put = [&](const std::string&, int number) {
            if (number == 8) bench.s3.kill_gateway();
        };
        const Error error = bench.failing_seal(*store);
        CHECK(error.kind() == ErrorKind::network);
        CHECK(error.text().find("store: put of") != std::string::npos);
        CHECK(error.text().find("after 3 attempts") != std::string::npos);
        bench.s3.start_gateway();
        CHECK(bench.listed() == 0);
    }
    SECTION("its disk hangs for a while: requests are broken off and repeated, and the backup ends whole") {
        const auto store = bench.open({.attempts = 10, .first_pause = 50ms, .longest_pause = 200ms});
        bench.script->before_put = [&](const std::string&, int number) {
            if (number != 8) return;
            bench.s3.stop_disk();
            helper = std::jthread([&] {
                std::this_thread::sleep_for(5s);
                bench.s3.continue_disk();
            });
        };
        test::BufferSource source(bench.plain);
        const std::string set = bench.next_set();
        CHECK_NOTHROW(
            backupset::seal(bench.options(256 << 10), set, source, *store, bench.home(), bench.clock));
        helper.join();
        CHECK(store->retries() > 0);
        CHECK(bench.listed() == 1);
    }
}

TEST_CASE("what a real gateway refuses is told with its cause, at once") {
    GatewayBench bench;
    const auto store = bench.open({.attempts = 5});
    const auto refused = [&](ErrorKind kind, const std::string& code) {
        const Error error = bench.failing_seal(*bench.open({.attempts = 5}));
        INFO(error.text());
        CHECK(error.kind() == kind);
        CHECK(error.text().find(code) != std::string::npos);
        CHECK_FALSE(error.hint().empty());
    };
    // A clock that is wrong, both ways. (With TLS the certificate would be not yet, or no longer, valid.)
    bench.settings = bench.s3.settings(false);
    clock_offset = 3600;
    refused(ErrorKind::forbidden, "RequestTimeTooSkewed");
    clock_offset = -3600;
    refused(ErrorKind::forbidden, "RequestTimeTooSkewed");
    clock_offset = 0;
    bench.settings = bench.s3.settings(true);
    // Keys that are unknown, or wrong, or a stranger's.
    const auto keys = [&](const std::string& access, const std::string& secret) {
        const auto file = bench.s3.folder() / "wrong.credentials";
        write_file_atomic(
            file, "[default]\naws_access_key_id=" + access + "\naws_secret_access_key=" + secret + "\n");
        bench.settings.s3.credentials_file = file;
    };
    keys("nobody", "secret");
    refused(ErrorKind::forbidden, "InvalidAccessKeyId");
    keys("key-owner", "wrong");
    refused(ErrorKind::forbidden, "SignatureDoesNotMatch");
    bench.s3.add_user("stranger");
    keys("key-stranger", "secret-stranger");
    refused(ErrorKind::forbidden, "AccessDenied");
    bench.settings = bench.s3.settings(true);
    CHECK(bench.listed() == 0);
    // A certificate of another authority.
    bench.settings.s3.ca_file.clear();
    CHECK(bench.failing_seal(*bench.open({.attempts = 5})).kind() == ErrorKind::unauthenticated);
    bench.settings = bench.s3.settings(true);
    // A bucket that does not exist.
    const std::string url = bench.url;
    bench.url = "s3://no-such-bucket";
    refused(ErrorKind::config, "NoSuchBucket");
    bench.url = url;
    // A quota that is full in the middle of the backup.
    bench.s3.set_quota(url, 10);
    const Error full = bench.failing_seal(*bench.open({.attempts = 2}));
    CHECK(full.kind() == ErrorKind::storage);
    CHECK(full.text().find("QuotaExceeded") != std::string::npos);
    CHECK(bench.listed() == 0);
    bench.s3.set_quota(url, -1);
    CHECK(bench.listed() == 0);
}

TEST_CASE("objects over the limit go up in parts, and abandoned uploads are swept") {
    GatewayBench bench;
    bench.settings.s3.multipart_above = 5 << 20;
    const auto store = storage::open_store(bench.url, false, bench.settings);
    const Bytes large = random_bytes(12 << 20);
    store->put("a/large", large);
    CHECK(store->get("a/large", large.size()).view() == large);
    CHECK(store->stat("a/large")->size == large.size());

    storage::S3Client client(bench.url, bench.settings.s3);
    client.expect(200, "begin", {.method = "POST", .key = "a/abandoned", .query = {{"uploads", ""}}});
    client.expect(200, "begin", {.method = "POST", .key = "b/abandoned", .query = {{"uploads", ""}}});
    CHECK(store->remove_unfinished("a/") == 0);  // it may be somebody's, for a day
    bench.settings.s3.unfinished_age = -5;       // as if it were older
    const auto later = storage::open_store(bench.url, false, bench.settings);
    CHECK(later->remove_unfinished("a/") == 1);
    CHECK(later->remove_unfinished("a/") == 0);
    CHECK(later->remove_unfinished("") == 1);
    CHECK(store->list("").size() == 1);
}
