// Which pieces of a binary log go: those before the file in which the oldest set begins that stays, and no
// other.
#include "common/maintenance/log_prune.hpp"

#include <atomic>
#include <catch2/catch.hpp>

#include "common/backupset/log_chain.hpp"
#include "common/maintenance/log_verification.hpp"
#include "common/maintenance/pruner.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using namespace strongroom::maintenance;
using namespace strongroom::test;

namespace {

// Two pieces a file: ... b.000001 (0, 100) (100, 200), b.000002 (0, 100) ...; one a minute.
struct Logs : SetBench {
    std::string add(bool ends_file) {
        clock.advance(std::chrono::minutes(1));
        auto with = options();
        with.stream = "binlog";
        with.parent = parent;
        with.log = {.file = file,
                    .first = at,
                    .last = at + 100,
                    .next = std::nullopt,
                    .began = format_utc(clock.now()),
                    .covered = format_utc(clock.now()),
                    .gtid = "",
                    .server_id = 1};
        if (ends_file) with.log->next = log_file_after(file);
        BufferSource source(plain);
        const auto made = backupset::seal(with, make_log_id(clock.now()), source, store, home(), clock);
        at = ends_file ? 0 : at + 100;
        if (ends_file) file = log_file_after(file);
        parent = made.set;
        ids.push_back(made.set);
        return made.set;
    }
    PruneStep add_set(PruneAction action = PruneAction::none) {
        clock.advance(std::chrono::minutes(1));
        return {.set = seal(random_bytes(4096)).set,
                .keep = action == PruneAction::none,
                .why = "",
                .action = action};
    }
    LogPrunePlan plan(const std::vector<PruneStep>& sets, std::chrono::seconds within = {}) {
        return plan_log_prune({store, server, {home(), identity}}, sets, within, clock.now());
    }

    const Bytes plain = random_bytes(100);
    std::string file = "b.000001";
    std::int64_t at = 0;
    std::optional<std::string> parent;
    std::vector<std::string> ids;
};

// Counts what the plan asks of a store.
struct CountingStore : FaultyStore {
    using FaultyStore::FaultyStore;
    MemFile get(const std::string& key, std::size_t max) override {
        ++gets;
        return FaultyStore::get(key, max);
    }
    std::optional<storage::ObjectInfo> stat(const std::string& key) override {
        ++stats;
        return FaultyStore::stat(key);
    }
    std::vector<storage::ObjectInfo> list(const std::string& prefix) override {
        ++lists;
        auto out = FaultyStore::list(prefix);
        std::erase_if(out, [&](const auto& object) { return object.key == hides; });
        return out;
    }
    std::vector<std::string> list_folders(const std::string& prefix) override {
        ++lists;
        return FaultyStore::list_folders(prefix);
    }

    std::string hides;  // from listings
    std::atomic<int> gets = 0;
    std::atomic<int> stats = 0;
    std::atomic<int> lists = 0;
};

std::vector<std::string> first(const std::vector<std::string>& of, std::size_t count) {
    return {of.begin(), of.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

TEST_CASE(
    "log pruning: what no set that stays can be replayed with goes, oldest first, and the rest is a chain") {
    Logs logs;
    CHECK(text_of(logs.plan({})).empty());
    for (int i = 0; i < 4; ++i) logs.add(i % 2 == 1);  // files 1 and 2
    CHECK(logs.plan({}).gone.empty());                 // without a set nothing is known to be of no use
    auto one = logs.add_set();                         // begins in file 3
    for (int i = 0; i < 4; ++i) logs.add(i % 2 == 1);  // files 3 and 4
    auto two = logs.add_set();
    logs.add(false);
    CHECK(text_of(logs.plan({one, two})) == "2 pieces of the binary log go, 7 stay");
    CHECK(logs.plan({one, two}).gone ==
          first(logs.ids, 2));       // of file 2 on: the newest that surely began before
    one.action = PruneAction::wait;  // marked: still a set
    CHECK(logs.plan({one, two}).gone == first(logs.ids, 2));
    one.action = PruneAction::remove;
    CHECK(logs.plan({one, two}).gone == first(logs.ids, 6));
    two.action = PruneAction::remove;
    CHECK(logs.plan({one, two}).gone.empty());
    one.action = two.action = PruneAction::none;
    // A limit of time holds every moment in it: from the set before it on.
    CHECK(logs.plan({one, two}, std::chrono::minutes(1)).gone == first(logs.ids, 6));
    CHECK(logs.plan({one, two}, std::chrono::minutes(3)).gone == first(logs.ids, 2));
    CHECK(logs.plan({one, two}, std::chrono::hours(24)).gone == first(logs.ids, 2));

    const TrustedServer server{logs.store, logs.server, {logs.home(), logs.identity}};
    one.action = PruneAction::remove;
    apply_log_prune(server, logs.plan({one, two}), [] {});
    CHECK(committed_logs(logs.store, logs.server).size() == 3);
    CHECK(logs.plan({one, two}).gone.empty());
    const auto path = read_log_path(logs.store, logs.server, server.signers, {"b.000005", 50},
                                    logs.clock.now(), [](const auto&) { return false; });
    CHECK(path.pieces.size() == 1);
    CHECK(read_log_path(logs.store, logs.server, server.signers, {"b.000004", 4}, logs.clock.now(),
                        [](const auto&) { return false; })
              .pieces.size() == 3);
}

TEST_CASE("log pruning: the start of a file of many pieces is found") {
    Logs logs;
    logs.add(true);
    for (int i = 0; i < 19; ++i) logs.add(false);
    const auto set = logs.add_set();
    for (int i = 0; i < 2; ++i) logs.add(false);
    CHECK(logs.plan({set}).gone == first(logs.ids, 1));
    logs.store.remove(manifest_key(logs.server, logs.ids[1]));  // it cannot be read: says nothing
    CHECK(logs.plan({set}).gone.empty());
}

TEST_CASE("log pruning: how often the store is asked does not grow with the number of pieces") {
    Logs logs;
    std::vector<std::string> unfinished;
    const auto bytes = Bytes(logs.store.get(manifest_key(logs.server, logs.add(false)), max_manifest).view());
    // Old ones, of which nothing is read: what is asked is whether each was committed.
    const UtcTime old = logs.clock.now() - std::chrono::days(30);
    for (int i = 0; i < 3000; ++i) {
        const std::string id = make_log_id(old + std::chrono::minutes(i));
        logs.store.put(manifest_key(logs.server, id), bytes);
        if (i % 1000 == 500)
            unfinished.push_back(id);
        else
            logs.store.put(manifest_signature_key(logs.server, id), bytes);
    }
    CountingStore counting(logs.store);
    const auto plan =
        plan_log_prune({counting, logs.server, {logs.home(), logs.identity}}, {}, {}, logs.clock.now());
    CHECK(plan.gone == unfinished);
    CHECK(plan.kept == 2998);
    CHECK(counting.lists == 2);
    CHECK(counting.stats == 3);  // each that looks unfinished, before it goes
    CHECK(counting.gets == 0);
    // A listing that does not show what is there takes nothing away.
    counting.hides = manifest_signature_key(logs.server, logs.ids[0]);
    logs.clock.advance(std::chrono::hours(25));
    CHECK(plan_log_prune({counting, logs.server, {logs.home(), logs.identity}}, {}, {}, logs.clock.now())
              .gone == unfinished);
}

TEST_CASE("log pruning: an unfinished piece goes after a day") {
    Logs logs;
    const auto piece = logs.add(false);
    logs.store.remove(manifest_signature_key(logs.server, piece));
    CHECK(logs.plan({}).gone.empty());
    logs.clock.advance(std::chrono::hours(25));
    CHECK(logs.plan({}).gone == std::vector<std::string>{piece});
}

TEST_CASE("log verification: a damaged piece, and one that is gone from the middle, are named") {
    Logs logs;
    for (int i = 0; i < 6; ++i) logs.add(i % 2 == 1);
    const TrustedServer server{logs.store, logs.server, {logs.home(), logs.identity}};
    const auto verdict = [&] { return verify_logs(server, {}); };
    CHECK(text_of(verdict()) == "6 of 6 pieces of the binary log were read, 0 are not good");
    remove_set(logs.store, logs.server, logs.ids[0]);  // pruned
    CHECK(verdict().bad.empty());
    VerifyRun some;
    some.choice.sample = 40;
    CHECK(verify_logs(server, some).read == 2);
    some = {};
    some.go_on = [] { return false; };
    CHECK(verify_logs(server, some).read == 1);

    const auto key = segment_key(logs.server, logs.ids[4], 0);
    auto bytes = Bytes(logs.store.get(key, 1U << 20U).view());
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    logs.store.put(key, bytes);
    remove_set(logs.store, logs.server, logs.ids[2]);
    const auto found = verdict();
    CHECK(found.read == 4);
    REQUIRE(found.bad.size() == 2);
    CHECK(found.bad[0].set == logs.ids[3]);
    CHECK(found.bad[0].worst == Flaw::chain);
    CHECK_THAT(one_line(found.bad[0]), Catch::Contains(logs.ids[2] + ", is gone"));
    CHECK(found.bad[1].set == logs.ids[4]);
    CHECK(found.bad[1].worst == Flaw::damaged);
    Summary summary;
    ServerVerdict all;
    all.logs = found;
    summary.add(all);
    CHECK(error_of([&] { summary.require_all_good(); }).kind() == ErrorKind::corrupt);
}

TEST_CASE("log path: a piece that lacks, is another's or does not fit ends it there") {
    Logs logs;
    for (int i = 0; i < 6; ++i) logs.add(i % 2 == 1);
    const Signers signers(logs.home(), logs.identity);
    const auto path = [&] {
        return read_log_path(logs.store, logs.server, signers, {"b.000001", 60}, *begun_at(logs.ids[0]),
                             [](const auto&) { return false; });
    };
    REQUIRE(path().pieces.size() == 6);
    // Another piece's manifest under this name.
    const auto text = Bytes(logs.store.get(manifest_key(logs.server, logs.ids[4]), max_manifest).view());
    const auto signature =
        Bytes(logs.store.get(manifest_signature_key(logs.server, logs.ids[4]), 1U << 16U).view());
    const auto kept = Bytes(logs.store.get(manifest_key(logs.server, logs.ids[3]), max_manifest).view());
    const auto kept_signature =
        Bytes(logs.store.get(manifest_signature_key(logs.server, logs.ids[3]), 1U << 16U).view());
    logs.store.put(manifest_key(logs.server, logs.ids[3]), text);
    logs.store.put(manifest_signature_key(logs.server, logs.ids[3]), signature);
    CHECK(path().pieces.size() == 3);
    CHECK_THAT(path().ends, Catch::Contains("cannot be trusted"));
    logs.store.put(manifest_key(logs.server, logs.ids[3]), kept);
    logs.store.put(manifest_signature_key(logs.server, logs.ids[3]), kept_signature);
    REQUIRE(path().pieces.size() == 6);
    // Gone, or never committed.
    logs.store.remove(manifest_signature_key(logs.server, logs.ids[2]));
    CHECK(path().pieces.size() == 2);
    logs.store.remove(manifest_signature_key(logs.server, logs.ids[0]));
    CHECK(path().pieces.empty());
}
