// Object Lock on a real gateway: every object that is put is locked until its time, for its owner, too; what
// rotation and retention then leave is said.
#include <catch2/catch.hpp>
#include <thread>

#include "common/backupset/store_root.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/maintenance/pruner.hpp"
#include "common/storage/open/open_store.hpp"
#include "common/storage/s3/bucket_check.hpp"
#include "common/storage/s3/s3_policy.hpp"
#include "common/storage/s3/s3_versions.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/s3_server.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace std::chrono_literals;
using test::error_of;

namespace {

constexpr std::int64_t two_days = 2 * 86'400;

struct LockBench : test::SetBench {
    LockBench() {
        s3.add_user("agent");
        s3.add_user("pruner");
        const storage::S3Address address(url, s3.settings(false).s3);
        s3.put_bucket_document(
            url, "policy",
            storage::s3_bucket_policy(address, server + "/",
                                      {.agent = "agent", .pruner = "pruner", .owner = "owner"}, two_days));
    }
    storage::StoreSettings settings(const std::string& user, const char* lock = "",
                                    std::int64_t lock_for = 0) const {
        auto out = s3.settings(false, user);
        out.s3.object_lock = lock;
        out.s3.lock_for = lock_for;
        return out;
    }
    std::string seal_as_agent(const char* lock, std::int64_t lock_for) {
        const auto agent = storage::open_store(url, false, settings("agent", lock, lock_for));
        test::BufferSource source(plain);
        const std::string set = next_set();
        backupset::seal(options(64 << 10), set, source, *agent, home(), clock);
        return set;
    }
    std::vector<storage::S3Version> versions_of(const std::string& prefix) {
        std::vector<storage::S3Version> out;
        storage::for_each_version(owner, prefix, [&](storage::S3Version& one) {
            if (!one.deleted) out.push_back(one);
        });
        return out;
    }
    std::string key_of(const storage::S3Version& version) const {
        return version.key.substr(std::string("prefix/").size());
    }
    int remove_version(storage::S3Client& as, const storage::S3Version& version, bool bypass = false) const {
        storage::S3Request request{
            .method = "DELETE", .key = key_of(version), .query = {{"versionId", version.id}}};
        if (bypass) request.headers.emplace_back("x-amz-bypass-governance-retention", "true");
        return as.ask("removing a version", request).status;
    }

    test::S3Server s3;
    std::string url = s3.make_bucket(true) + "/prefix";
    storage::S3Client owner{url, s3.settings(false).s3};
    Bytes plain = random_bytes(300'000);
};

}  // namespace

TEST_CASE("no version of a locked set can be removed before its time, by its owner neither") {
    LockBench bench;
    const std::string set = bench.seal_as_agent("governance", two_days);
    const auto versions = bench.versions_of(backupset::set_prefix(bench.server, set));
    REQUIRE(versions.size() == 5 + 3);  // segments, envelope, manifest, signature
    const UtcTime now = SystemClock().now();
    storage::S3Client thief(bench.url, bench.settings("agent").s3);
    for (const auto& version : versions) {
        CAPTURE(version.key);
        const auto head = bench.owner.expect(
            200, "head",
            {.method = "HEAD", .key = bench.key_of(version), .query = {{"versionId", version.id}}});
        CHECK(head.header("x-amz-object-lock-mode") == "GOVERNANCE");
        const UtcTime until = storage::parse_s3_time(head.header("x-amz-object-lock-retain-until-date"));
        CHECK(until > now + 47h);
        CHECK(until < now + 49h);
        CHECK(bench.remove_version(bench.owner, version) == 403);
    }
    // Whoever puts may lock, and cannot shorten.
    const auto& first = versions.front();
    CHECK(bench.remove_version(thief, first, true) == 403);
    CHECK(thief
              .ask("shortening", {.method = "PUT",
                                  .key = bench.key_of(first),
                                  .query = {{"retention", ""}, {"versionId", first.id}},
                                  .headers = {{"x-amz-bypass-governance-retention", "true"}},
                                  .body = "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>" +
                                          format_utc(now + 1h) + "</RetainUntilDate></Retention>"})
              .status == 403);
    CHECK(bench.versions_of(backupset::set_prefix(bench.server, set)).size() == versions.size());
    // Governance is not compliance: an owner who says so can.
    CHECK(bench.remove_version(bench.owner, versions.back(), true) == 204);

    const auto put_locked = [&](const std::string& key, std::int64_t lock_for) {
        storage::open_store(bench.url, false, bench.settings("agent", "compliance", lock_for))
            ->put(bench.server + "/" + key, "x");
        return bench.versions_of(bench.server + "/" + key).front();
    };
    CHECK(bench.remove_version(bench.owner, put_locked("strict", two_days), true) == 403);
    const auto one = put_locked("brief", 3);
    CHECK(bench.remove_version(bench.owner, one, true) == 403);
    int status = 0;
    for (int i = 0; i < 100 && status != 204; ++i) {
        std::this_thread::sleep_for(100ms);
        status = bench.remove_version(bench.owner, one);
    }
    CHECK(status == 204);  // its time is over
}

TEST_CASE("what rotation and retention leave of locked objects stays until its time, and is said") {
    LockBench bench;
    const std::string set = bench.seal_as_agent("governance", two_days);
    const std::string prefix = backupset::set_prefix(bench.server, set);
    const UtcTime put = SystemClock().now();
    // A rotation puts the envelope anew: the former one stays beside it, locked like the new one.
    const std::string envelope = backupset::envelope_key(bench.server, set);
    const auto agent =
        storage::open_store(bench.url, false, bench.settings("agent", "governance", 2 * two_days));
    agent->put(envelope, "a new envelope");
    const auto envelopes = bench.versions_of(envelope);
    REQUIRE(envelopes.size() == 2);
    for (const auto& version : envelopes) CHECK(bench.remove_version(bench.owner, version) == 403);

    const auto pruner = storage::open_store(bench.url, false, bench.settings("pruner"));
    const auto check_kept = [&](storage::ObjectStore& store) {
        const auto kept = store.kept_versions(prefix);
        CHECK(kept.versions == 5 + 3 + 1);
        CHECK(kept.bytes > 300'000);
        REQUIRE(kept.locked_until);
        CHECK(*kept.locked_until > put + 95h);  // the new envelope's
        CHECK(*kept.locked_until < put + 97h);
    };
    check_kept(*pruner);
    maintenance::remove_set(*pruner, bench.server, set);
    CHECK(pruner->list(prefix).empty());
    check_kept(*pruner);

    // An object that goes up in parts is locked like any other.
    auto in_parts = bench.settings("agent", "governance", two_days);
    in_parts.s3.multipart_above = 5 << 20;
    storage::open_store(bench.url, false, in_parts)->put(bench.server + "/large", random_bytes(6 << 20));
    CHECK(bench.remove_version(bench.owner, bench.versions_of(bench.server + "/large").front()) == 403);

    // In a bucket that keeps no versions nothing stays.
    const std::string bare = bench.s3.make_bucket();
    const auto plain = storage::open_store(bare, false, bench.settings("owner"));
    plain->put("a/b", "x");
    CHECK(plain->kept_versions("a/").versions == 0);
    CHECK_FALSE(plain->kept_versions("a/").locked_until);
    // And locking fails there, with the cause.
    const auto locking = storage::open_store(bare, false, bench.settings("owner", "governance", two_days));
    const Error refused = error_of([&] { locking->put("a/c", "x"); });
    INFO(refused.text());
    CHECK(refused.kind() == ErrorKind::config);
    CHECK(refused.hint().find("s3-object-lock") != std::string::npos);
}

TEST_CASE("the check of a bucket knows the configured lock") {
    LockBench bench;
    const auto lock_of = [&](const std::string& url, const char* lock) {
        storage::S3Client client(url, bench.settings("owner", lock, *lock == '\0' ? 0 : two_days).s3);
        for (const auto& one : storage::check_bucket(client))
            if (one.what == "object lock") return one;
        throw Error(ErrorKind::internal, "no finding");
    };
    using V = storage::BucketVerdict;
    CHECK(lock_of(bench.url, "").verdict == V::missing);
    CHECK(lock_of(bench.url, "governance").verdict == V::ok);
    CHECK(lock_of(bench.url, "governance").text.find("locks what it puts: governance, 2 days") !=
          std::string::npos);
    const std::string bare = bench.s3.make_bucket();
    CHECK(lock_of(bare, "governance").verdict == V::missing);
    CHECK(lock_of(bare, "governance").risk.find("Every put fails") != std::string::npos);
    const auto half = bench.settings("owner", "governance", 0);
    CHECK(error_of([&] { storage::open_store(bench.url, false, half); }).kind() == ErrorKind::config);
}
