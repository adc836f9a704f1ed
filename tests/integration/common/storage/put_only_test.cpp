// S13 on a real gateway with versions and Object Lock: with the printed policy, a host's credentials are
// enough for a backup, and cannot read, list, overwrite into the past or delete; what they hid or overwrote
// is found as of then.
#include <catch2/catch.hpp>
#include <thread>

#include "common/backupset/store_root.hpp"
#include "common/backupset/verifier_envelope.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/storage/open/open_store.hpp"
#include "common/storage/s3/bucket_check.hpp"
#include "common/storage/s3/s3_documents.hpp"
#include "common/storage/s3/s3_policy.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/s3_server.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using test::error_of;

namespace {

struct PutOnlyBench : test::SetBench {
    PutOnlyBench() {
        s3.add_user("agent");
        s3.add_user("pruner");
        const storage::S3Address address(url, s3.settings(false).s3);
        s3.put_bucket_document(
            url, "policy",
            storage::s3_bucket_policy(address, server + "/",
                                      {.agent = "agent", .pruner = "pruner", .owner = "owner"}));
    }
    std::unique_ptr<storage::ObjectStore> as(const std::string& user) const {
        return storage::open_store(url, false, s3.settings(false, user));
    }
    storage::S3Client client(const std::string& user) const { return {url, s3.settings(false, user).s3}; }
    std::string seal_as_agent() {
        const auto agent = as("agent");
        backupset::write_store_root(*agent, server, identity, gpg::export_public(home(), identity));
        test::BufferSource source(plain);
        const std::string set = next_set();
        backupset::seal(options(64 << 10), set, source, *agent, home(), clock);
        return set;
    }
    Bytes open_from(storage::ObjectStore& from, const std::string& set) {
        test::CollectingTarget target;
        backupset::open_set({}, backupset::read_manifest(from, server, set, home(), identity), from, home(),
                            target);
        return target.bytes;
    }
    // Every version in the bucket and whether it is a delete marker, as the owner sees it.
    std::map<std::string, bool> versions() const {
        auto owner = client("owner");
        const auto answer = owner.expect(
            200, "versions", {.method = "GET", .query = {{"versions", ""}}, .max_answer = 8 << 20});
        std::map<std::string, bool> out;
        for (const auto& one : storage::parse_s3_versions(answer.body).versions)
            out[one.key + " " + one.id] = one.deleted;
        return out;
    }

    test::S3Server s3;
    std::string url = s3.make_bucket(true) + "/prefix";
    Bytes plain = random_bytes(500'000);
};

}  // namespace

TEST_CASE("put-only credentials are enough for a backup, and for nothing else") {
    PutOnlyBench bench;
    const std::string set = bench.seal_as_agent();
    bench.seal_as_agent();  // the store's root is there already
    const auto agent = bench.as("agent");
    CHECK_FALSE(agent->check_writable(bench.server + "/check/"));
    const std::string subkey(40, 'A');
    CHECK_FALSE(backupset::write_escrow_record(*agent, bench.server, subkey, "record"));
    const auto owner = bench.as("owner");
    CHECK(owner->check_writable(bench.server + "/check/"));
    CHECK(bench.open_from(*owner, set) == bench.plain);
    CHECK(backupset::list_sets(*owner, bench.server, bench.home(), bench.identity).size() == 2);

    const auto before = bench.versions();
    const std::string key = backupset::manifest_key(bench.server, set);
    std::string version;
    for (const auto& [name, deleted] : before)
        if (name.starts_with("prefix/" + key + " ")) version = name.substr(name.find(' ') + 1);
    REQUIRE_FALSE(version.empty());
    const std::string all_versions = "<Delete><Object><Key>prefix/" + key + "</Key><VersionId>" + version +
                                     "</VersionId></Object></Delete>";
    const std::string lock =
        "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2020-01-01T00:00:00Z</RetainUntilDate></"
        "Retention>";
    const std::string off = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    const std::string expire =
        "<LifecycleConfiguration><Rule><ID>x</ID><Prefix></Prefix><Status>Enabled</"
        "Status><Expiration><Days>1</Days>"
        "</Expiration></Rule></LifecycleConfiguration>";
    auto thief = bench.client("agent");
    const std::vector<storage::S3Request> attempts{
        {.method = "GET", .key = key},
        {.method = "HEAD", .key = key},
        {.method = "GET", .key = key, .query = {{"versionId", version}}},
        {.method = "GET", .query = {{"list-type", "2"}}},
        {.method = "GET", .query = {{"versions", ""}}},
        {.method = "GET", .query = {{"uploads", ""}}},
        {.method = "GET", .query = {{"policy", ""}}},
        {.method = "DELETE", .key = key},
        {.method = "DELETE", .key = key, .query = {{"versionId", version}}},
        {.method = "DELETE",
         .key = key,
         .query = {{"versionId", version}},
         .headers = {{"x-amz-bypass-governance-retention", "true"}}},
        {.method = "PUT", .key = "elsewhere/object", .body = "x"},
        {.method = "PUT", .key = bench.server + "x/object", .body = "x"},
        {.method = "PUT",
         .key = bench.server + "/copy",
         .headers = {{"x-amz-copy-source", "bucket-1/prefix/" + key}}},
        {.method = "PUT", .key = key, .query = {{"retention", ""}, {"versionId", version}}, .body = lock},
        {.method = "PUT",
         .key = key,
         .query = {{"legal-hold", ""}},
         .body = "<LegalHold><Status>ON</Status></LegalHold>"},
        {.method = "PUT", .key = key, .query = {{"acl", ""}}, .headers = {{"x-amz-acl", "public-read"}}},
        {.method = "PUT", .query = {{"versioning", ""}}, .body = off},
        {.method = "PUT", .query = {{"lifecycle", ""}}, .body = expire},
        {.method = "PUT", .query = {{"policy", ""}}, .body = "{}"},
        {.method = "DELETE", .query = {{"policy", ""}}},
        {.method = "DELETE", .query = {{"lifecycle", ""}}},
        {.method = "PUT", .query = {{"acl", ""}}, .headers = {{"x-amz-acl", "public-read-write"}}},
        {.method = "DELETE"},
    };
    for (const auto& attempt : attempts) {
        std::string shown = attempt.method + " " + attempt.key;
        for (const auto& [name, value] : attempt.query) shown += " " + name;
        CAPTURE(shown);
        CHECK(thief.ask("attempt", attempt).status == 403);
    }
    // This one is answered for each object; what counts is that all are there.
    thief.ask("attempt", {.method = "POST", .query = {{"delete", ""}}, .body = all_versions});
    CHECK(bench.versions() == before);
    CHECK(bench.open_from(*owner, set) == bench.plain);
}

TEST_CASE("the pruner's credentials remove what shows, and no version") {
    PutOnlyBench bench;
    const std::string set = bench.seal_as_agent();
    const auto before = bench.versions();
    const auto pruner = bench.as("pruner");
    CHECK(bench.open_from(*pruner, set) == bench.plain);
    pruner->put(bench.server + "/prune/" + set + ".json", "{}");
    CHECK(pruner->remove_unfinished(backupset::set_prefix(bench.server, set)) == 0);
    auto client = bench.client("pruner");
    for (const auto& [name, deleted] : before) {
        const auto space = name.find(' ');
        CAPTURE(name);
        CHECK(client
                  .ask("attempt", {.method = "DELETE",
                                   .key = name.substr(7, space - 7),  // behind "prefix/"
                                   .query = {{"versionId", name.substr(space + 1)}}})
                  .status == 403);
    }
    CHECK(error_of([&] { pruner->put(backupset::manifest_key(bench.server, set), "x"); }).kind() ==
          ErrorKind::forbidden);
    for (const auto& object : pruner->list(backupset::set_prefix(bench.server, set)))
        pruner->remove(object.key);
    CHECK(pruner->list(backupset::set_prefix(bench.server, set)).empty());
    const auto after = bench.versions();
    for (const auto& [name, deleted] : before) CHECK(after.contains(name));
}

TEST_CASE("a set that was overwritten, and one that was hidden, are found as of a time before") {
    PutOnlyBench bench;
    const std::string overwritten = bench.seal_as_agent();
    const std::string hidden = bench.seal_as_agent();
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    const UtcTime then = SystemClock().now() - std::chrono::seconds(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    // The thief of the host's credentials writes over everything that it can name.
    const auto thief = bench.as("agent");
    const auto owner = bench.as("owner");
    for (const auto& object : owner->list(backupset::set_prefix(bench.server, overwritten)))
        thief->put(object.key, "destroyed");
    // And somebody who may delete hides the other set.
    for (const auto& object : owner->list(backupset::set_prefix(bench.server, hidden)))
        owner->remove(object.key);
    CHECK_THROWS_AS(bench.open_from(*owner, overwritten), Error);
    CHECK_THROWS_AS(bench.open_from(*owner, hidden), Error);

    const auto past = storage::open_store_as_of(bench.url, bench.s3.settings(false), then);
    CHECK(bench.open_from(*past, overwritten) == bench.plain);
    CHECK(bench.open_from(*past, hidden) == bench.plain);
    CHECK(backupset::list_sets(*past, bench.server, bench.home(), bench.identity).size() == 2);
    CHECK(backupset::list_servers(*past) == std::vector<std::string>{bench.server});
    CHECK(error_of([&] { past->put("a/b", "x"); }).kind() == ErrorKind::refused);
    CHECK(error_of([&] { past->remove("a/b"); }).kind() == ErrorKind::refused);
    const auto before_all =
        storage::open_store_as_of(bench.url, bench.s3.settings(false), then - std::chrono::hours(1));
    CHECK(before_all->list("").empty());
    CHECK(error_of([&] { storage::open_store_as_of("file:///tmp", {}, then); }).kind() == ErrorKind::config);
}

TEST_CASE("the check of a bucket says what protects it, and what is missing") {
    PutOnlyBench bench;
    const auto verdicts = [&](const std::string& url, const std::string& user) {
        storage::S3Client client(url, bench.s3.settings(false, user).s3);
        std::map<std::string, storage::BucketVerdict> out;
        for (const auto& one : storage::check_bucket(client)) {
            INFO(one.what << ": " << one.text);
            CHECK(one.risk.empty() == (one.verdict == storage::BucketVerdict::ok));
            out[one.what] = one.verdict;
        }
        return out;
    };
    using V = storage::BucketVerdict;
    const std::string bare = bench.s3.make_bucket();
    auto found = verdicts(bare, "owner");
    CHECK(found["versioning"] == V::missing);
    CHECK(found["object lock"] == V::missing);
    CHECK(found["lifecycle"] == V::missing);
    CHECK(found["policy"] == V::missing);
    bench.s3.put_bucket_document(bench.url, "object-lock",
                                 "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</"
                                 "ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE"
                                 "</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>");
    bench.s3.put_bucket_document(
        bench.url, "lifecycle",
        "<LifecycleConfiguration><Rule><ID>a</ID><Prefix></Prefix><Status>Enabled</Status>"
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></"
        "AbortIncompleteMultipartUpload>"
        "</Rule></LifecycleConfiguration>");
    found = verdicts(bench.url, "owner");
    for (const char* what : {"versioning", "object lock", "lifecycle", "policy"}) {
        CAPTURE(what);
        CHECK(found[what] == V::ok);
    }
    found = verdicts(bench.url, "agent");
    for (const auto& [what, verdict] : found) {
        CAPTURE(what);
        CHECK(verdict == V::unknown);
    }
    bench.seal_as_agent();  // also under a default retention, which asks for the digest of every put
    CHECK(error_of([&] { verdicts("s3://no-such-bucket", "owner"); }).kind() == ErrorKind::config);
}

TEST_CASE("a verifying host opens sets with keys that only read, its envelopes come and go by others") {
    PutOnlyBench bench;
    const gpg::TempHome verifier;
    const std::string fingerprint = gpg::generate_key(verifier.home(), "verifier@test.invalid", "ed25519");
    const gpg::TempHome pinned(gpg::HomeFor::public_keys);
    gpg::import_public_key(pinned.home(), gpg::export_public(verifier.home(), fingerprint), fingerprint);
    const backupset::Verifiers verifiers{pinned.home(), {fingerprint}};
    bench.s3.add_user("verifier");
    bench.s3.put_bucket_document(
        bench.url, "policy",
        storage::s3_bucket_policy(storage::S3Address(bench.url, bench.s3.settings(false).s3),
                                  bench.server + "/",
                                  {.agent = "agent",
                                   .pruner = "pruner",
                                   .owner = "owner",
                                   .agent_rotates = true,
                                   .verifier = "verifier"}));
    const std::string set = bench.seal_as_agent();
    const auto reader = bench.as("verifier");
    const auto open_there = [&] {
        backupset::OpenOptions options;
        options.verifier = fingerprint;
        test::CollectingTarget target;
        backupset::open_set(
            options, backupset::read_manifest(*reader, bench.server, set, bench.home(), bench.identity),
            *reader, verifier.home(), target);
        return target.bytes;
    };
    CHECK(error_of(open_there).kind() == ErrorKind::config);
    const auto agent = bench.as("agent");
    const auto added = backupset::add_verifier_envelopes(*agent, bench.server, bench.home(), verifiers);
    CHECK(added.changed == 1);
    CHECK(added.problems.empty());
    CHECK(open_there() == bench.plain);

    const auto before = bench.versions();
    const std::string key = backupset::envelope_key_for(fingerprint, bench.server, set);
    auto thief = bench.client("verifier");
    for (const storage::S3Request& attempt :
         {storage::S3Request{.method = "PUT", .key = key, .body = "x"},
          storage::S3Request{.method = "PUT", .key = bench.server + "/other", .body = "x"},
          storage::S3Request{.method = "DELETE", .key = key},
          storage::S3Request{.method = "PUT", .query = {{"policy", ""}}, .body = "{}"},
          storage::S3Request{.method = "GET", .query = {{"policy", ""}}},
          storage::S3Request{.method = "GET", .query = {{"versions", ""}}}}) {
        INFO(attempt.method << " " << attempt.key);
        CHECK(thief.ask("attempt", attempt).status == 403);
    }
    CHECK(bench.versions() == before);

    CHECK(error_of([&] { backupset::remove_verifier_envelopes(*agent, bench.server, fingerprint); }).kind() ==
          ErrorKind::forbidden);
    CHECK(backupset::remove_verifier_envelopes(*bench.as("pruner"), bench.server, fingerprint).changed == 1);
    CHECK(error_of(open_there).kind() == ErrorKind::config);
}
