#include "common/maintenance/pruner.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "common/backupset/reencrypt.hpp"
#include "common/base/file.hpp"
#include "common/maintenance/prune.hpp"
#include "common/maintenance/verification.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using namespace strongroom::maintenance;
using namespace strongroom::test;

namespace {

struct Look : SetBench {
    Manifest manifest = seal(random_bytes(20 * 4096));
};

}  // namespace

TEST_CASE("pruning: the signature goes first, and what is left of an interrupted removal is unfinished") {
    Look look;
    const auto kept = look.seal(random_bytes(3 * 4096));
    write_mark(look.store, look.server, {look.manifest.set, "2026-11-22T01:00:00Z", "retention", 0});
    CHECK(read_marks(look.store, look.server).at(look.manifest.set).marked == "2026-11-22T01:00:00Z");
    CHECK(look.list().size() == 2);  // a marked set is a set

    class Stops : public FaultyStore {  // fails at the fourth removal
      public:
        using FaultyStore::FaultyStore;
        std::vector<std::string> removed;
        void remove(const std::string& key) override {
            if (removed.size() == 3) throw Error(ErrorKind::storage, "remove of " + key + " failed");
            removed.push_back(key);
            FaultyStore::remove(key);
        }
    } stops(look.store);
    CHECK_THROWS_AS(remove_set(stops, look.server, look.manifest.set), Error);
    REQUIRE(stops.removed.size() == 3);
    CHECK(stops.removed.front() == manifest_signature_key(look.server, look.manifest.set));
    CHECK(committed_sets(look.store, look.server) == std::vector<std::string>{kept.set});
    CHECK(read_marks(look.store, look.server).contains(look.manifest.set));

    const auto later = look.clock.now() + std::chrono::hours(48);
    const auto unfinished = unfinished_sets(look.store, look.server, later);
    REQUIRE(unfinished.size() == 1);
    CHECK(unfinished.front().set == look.manifest.set);
    CHECK(unfinished.front().objects > 10);
    CHECK(remove_set(look.store, look.server, look.manifest.set) == unfinished.front().bytes);
    CHECK(look.store.list(set_prefix(look.server, look.manifest.set)).empty());
    CHECK(read_marks(look.store, look.server).empty());
    CHECK(unfinished_sets(look.store, look.server, later).empty());
    CHECK(verify_committed({1}, look.store, look.server, kept.set, {look.home(), look.identity}).good());
}

TEST_CASE("pruning: a mark that cannot be read is none") {
    Look look;
    look.store.put(mark_key(look.server, look.manifest.set), "{\"set\":\"x\"}");
    CHECK(read_marks(look.store, look.server).empty());
    look.store.put(
        mark_key(look.server, look.manifest.set),
        "{\"marked\":\"yesterday\",\"objects\":0,\"set\":\"" + look.manifest.set + "\",\"why\":\"x\"}");
    CHECK(read_marks(look.store, look.server).empty());
}

TEST_CASE(
    "pruning: a set that was written anew goes once what replaces it was verified, and is not missed then") {
    Look look;
    const TempDir folder;
    const auto other = look.seal(random_bytes(4096));
    ReencryptOptions anew;
    anew.identity = look.identity;
    anew.subkey = gpg::find_key(look.home(), look.identity).encryption_subkey()->fingerprint;
    anew.time = look.clock.now();
    const auto fresh =
        reencrypt(anew, look.manifest, std::nullopt, {look.store, look.store}, look.home(), look.clock);
    const TrustedServer server{look.store, look.server, {look.home(), look.identity}};
    VerificationLog log(folder.path() / "verified.json", look.server, {look.identity}, {});
    PruneRules rules;
    rules.keep.last = 2;
    rules.grace = std::chrono::seconds(0);
    const auto step_of = [&](const std::string& set) {
        Prune prune(server, log, rules, look.clock.now());
        const auto plan = prune.plan();
        REQUIRE(plan.size() == 3);
        return *std::ranges::find(plan, set, &PruneStep::set);
    };

    VerifyRun some;
    some.choice.sets = {look.manifest.set, other.set};
    verify_server(server, log, look.clock, some);
    CHECK(step_of(look.manifest.set).keep);  // nobody has looked at the new one
    verify_server(server, log, look.clock, {});
    const auto step = step_of(look.manifest.set);
    CHECK(step.action == PruneAction::remove);
    CHECK(step.why == "replaced by " + fresh.set);
    CHECK(step_of(fresh.set).keep);
    CHECK(step_of(other.set).keep);

    Prune prune(server, log, rules, look.clock.now());
    prune.apply(
        prune.plan(), [](const PruneStep&) {}, [](const std::string&) {});
    CHECK(committed_sets(look.store, look.server) == std::vector{fresh.set, other.set});
    // Another one who verified the old set before does not miss it.
    VerificationLog theirs(folder.path() / "theirs.json", look.server, {look.identity}, {});
    SetVerdict before;
    before.set = look.manifest.set;
    before.manifest_sha256 = std::string(64, 'a');
    theirs.note(before, look.clock.now());
    const auto verdict = verify_server(server, theirs, look.clock, {});
    CHECK(std::ranges::all_of(verdict.sets, &SetVerdict::good));
    CHECK(theirs.find(look.manifest.set) == nullptr);
}
