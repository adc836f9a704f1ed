// What a proof by restoring leaves in the log of verifications.
#include <catch2/catch.hpp>

#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/maintenance/verification_log.hpp"

namespace strongroom::maintenance {
namespace {

constexpr const char* set = "20261122T013700Z-3f9a2c1b";
const UtcTime noon = parse_utc("2026-11-22T12:00:00Z");
const UtcTime later = parse_utc("2026-11-22T13:00:00Z");

backupset::SetVerdict good_verdict(const std::string& sha256) {
    backupset::SetVerdict out;
    out.set = set;
    out.manifest_sha256 = sha256;
    return out;
}

}  // namespace

TEST_CASE("a set whose proof failed does not look proven, whatever its digests say, until a proof succeeds") {
    const TempDir folder;
    const std::string server = random_uuid();
    const std::string identity(40, 'A');
    const std::string digest(64, 'a');
    const auto reload = [&] { return VerificationLog(folder.path() / "log.json", server, {identity}, {}); };
    VerificationLog log = reload();

    log.note_proof(set, digest, 100, true, noon);
    log.save(false);
    CHECK(reload().find(set)->good());
    CHECK(reload().find(set)->proven == "2026-11-22T12:00:00Z");
    CHECK(reload().find(set)->verified == "2026-11-22T12:00:00Z");
    log.note(good_verdict(digest), later);
    CHECK(log.find(set)->proven == "2026-11-22T12:00:00Z");

    log.note_proof(set, digest, 100, false, later);
    log.save(false);
    CHECK_FALSE(reload().find(set)->proven);
    CHECK(reload().find(set)->proof_failed == "2026-11-22T13:00:00Z");
    log.note(good_verdict(digest), later);
    CHECK_FALSE(log.find(set)->proven);
    CHECK(log.find(set)->proof_failed);

    log.note_proof(set, digest, 100, true, later);
    CHECK(log.find(set)->proven == "2026-11-22T13:00:00Z");
    CHECK_FALSE(log.find(set)->proof_failed);

    // Damage that is found later ends it, and another manifest was never proven.
    auto damaged = good_verdict(digest);
    damaged.add(backupset::Flaw::damaged, "data/000000.gpg", "bytes");
    log.note(damaged, later);
    CHECK_FALSE(log.find(set)->proven);
    log.note_proof(set, digest, 100, true, later);
    log.note(good_verdict(std::string(64, 'b')), later);
    CHECK_FALSE(log.find(set)->proven);
}

TEST_CASE("a set that was only ever proven to fail is not good") {
    const TempDir folder;
    VerificationLog log(folder.path() / "log.json", random_uuid(), {std::string(40, 'A')}, {});
    log.note_proof(set, std::string(64, 'a'), 100, false, noon);
    CHECK_FALSE(log.find(set)->good());
    CHECK(log.find(set)->good_sha256.empty());
    log.save(false);
}

}  // namespace strongroom::maintenance
