#include "common/maintenance/retention.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

using namespace strongroom;
using namespace strongroom::maintenance;
using namespace std::chrono_literals;

namespace {

std::string id_at(UtcTime time, unsigned number) {
    char tail[16];
    std::snprintf(tail, sizeof tail, "-%08x", number);
    return format_compact(time) + tail;
}

RetentionFact fact(const char* time, Standing standing = Standing::good) {
    const UtcTime created = parse_utc(time);
    return {id_at(created, 1), {}, created, standing};
}

// The kept sets' stamps, the reasons of each after a colon.
std::set<std::string> kept(const KeepRules& rules, const std::vector<RetentionFact>& facts,
                           bool drop_bad = false) {
    std::set<std::string> out;
    for (const auto& one : decide(rules, facts, drop_bad))
        if (one.keep) out.insert(one.set.substr(0, 13));
    return out;
}

using Stamps = std::set<std::string>;

}  // namespace

TEST_CASE("retention: each rule keeps the newest of its hours, days, weeks, months, years") {
    const std::vector<RetentionFact> facts{fact("2024-12-31T23:59:59Z"), fact("2025-01-01T00:00:00Z"),
                                           fact("2026-11-15T22:00:00Z"),  // a Sunday
                                           fact("2026-11-16T01:00:00Z"), fact("2026-11-22T01:10:00Z"),
                                           fact("2026-11-22T01:50:00Z"), fact("2026-11-22T02:00:00Z")};
    CHECK(kept({.last = 2}, facts) == Stamps{"20261122T0150", "20261122T0200"});
    CHECK(kept({.hourly = 2}, facts) == Stamps{"20261122T0150", "20261122T0200"});
    CHECK(kept({.daily = 3}, facts) == Stamps{"20261115T2200", "20261116T0100", "20261122T0200"});
    CHECK(kept({.weekly = 2}, facts) == Stamps{"20261115T2200", "20261122T0200"});
    CHECK(kept({.monthly = 3}, facts) == Stamps{"20241231T2359", "20250101T0000", "20261122T0200"});
    CHECK(kept({.yearly = 9}, facts) == Stamps{"20241231T2359", "20250101T0000", "20261122T0200"});
    CHECK(kept({.within = 1h}, facts) == Stamps{"20261122T0110", "20261122T0150", "20261122T0200"});
    CHECK(kept({.last = 1, .yearly = 2}, facts) == Stamps{"20250101T0000", "20261122T0200"});
}

TEST_CASE("retention: only what was verified counts, and nothing unknown goes") {
    const auto newest = fact("2026-11-22T03:00:00Z", Standing::not_verified);
    const auto damaged = fact("2026-11-22T02:00:00Z", Standing::not_good);
    const auto good = fact("2026-11-22T01:00:00Z");
    const auto older = fact("2026-11-21T01:00:00Z");
    const auto old_damaged = fact("2026-11-20T01:00:00Z", Standing::not_good);
    const std::vector<RetentionFact> facts{newest, damaged, good, older, old_damaged};
    CHECK(kept({.last = 1}, facts) ==
          Stamps{"20261120T0100", "20261122T0100", "20261122T0200", "20261122T0300"});
    // A damaged set goes only if a newer one can be restored.
    CHECK(kept({.last = 1}, facts, true) == Stamps{"20261122T0100", "20261122T0200", "20261122T0300"});
    CHECK(kept({}, facts).size() == 5);
    CHECK(kept({.last = 1}, {newest, damaged}).size() == 2);
    CHECK(decide({.last = 1}, {}, false).empty());
}

TEST_CASE("retention: what a staying set builds on stays, and a chain counts only as a whole") {
    auto full = fact("2026-11-20T01:00:00Z");
    auto first = fact("2026-11-21T01:00:00Z");
    auto second = fact("2026-11-22T01:00:00Z");
    const auto old = fact("2026-11-19T01:00:00Z");
    first.parent = full.set;
    second.parent = first.set;
    CHECK(kept({.last = 1}, {old, full, first, second}) ==
          Stamps{"20261120T0100", "20261121T0100", "20261122T0100"});
    full.standing = Standing::not_good;  // so no increment counts, and the old set is the newest that does
    CHECK(kept({.last = 1}, {old, full, first, second}).contains("20261119T0100"));
    CHECK(kept({.last = 1}, {old, full, first, second}, true).size() == 4);
    full.standing = Standing::good;
    CHECK(kept({.last = 1}, {old, first, second}).contains("20261119T0100"));  // the full set is gone
    first.parent = second.set;                                                 // a circle
    CHECK(kept({.last = 1}, {old, first, second}).contains("20261119T0100"));
}

TEST_CASE("retention: random sets, chains and rules keep every promise") {
    const char* given = std::getenv("SEED");
    const auto seed = given == nullptr ? std::random_device()() : std::strtoul(given, nullptr, 10);
    INFO("SEED=" << seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
    for (int round = 0; round < 2000; ++round) {
        std::vector<RetentionFact> facts;
        UtcTime time = parse_utc("2026-01-01T00:00:00Z");
        const auto count = static_cast<unsigned>(below(25));
        for (unsigned i = 0; i < count; ++i) {
            time += std::chrono::minutes(1 + below(3 * 24 * 60));
            RetentionFact one{
                id_at(time, i), {}, time, static_cast<Standing>(std::max<std::int64_t>(0, below(6) - 3))};
            if (!facts.empty() && below(3) == 0)
                one.parent = facts[static_cast<std::size_t>(below(facts.size()))].set;
            if (below(15) == 0) one.parent = id_at(time - 1h, 77);  // not there
            facts.push_back(one);
        }
        KeepRules rules{
            below(4), below(3), below(5), below(3), below(3), below(2), std::chrono::hours(below(200))};
        const bool drop_bad = below(2) == 0;
        std::map<std::string, RetentionFact> by_set;
        for (const auto& one : facts) by_set[one.set] = one;
        // The plain meaning: a set counts if all up to a full one are there and good.
        const auto counts = [&](std::string set) {
            for (;;) {
                const auto found = by_set.find(set);
                if (found == by_set.end() || found->second.standing != Standing::good) return false;
                if (!found->second.parent) return true;
                set = *found->second.parent;
            }
        };
        std::vector<RetentionFact> counting;
        for (const auto& one : facts)
            if (counts(one.set)) counting.push_back(one);

        std::set<std::string> stay;
        std::vector<RetentionFact> left;
        for (const auto& one : decide(rules, facts, drop_bad)) {
            CHECK(one.keep == !one.reasons.empty());
            if (one.keep) {
                stay.insert(one.set);
                left.push_back(by_set[one.set]);
            }
        }
        if (!rules.any() || counting.empty()) {
            CHECK(stay.size() == facts.size());
            continue;
        }
        CHECK(stay.contains(counting.back().set));
        for (const auto& set : stay)
            if (const auto& parent = by_set[set].parent; parent && by_set.contains(*parent))
                CHECK(stay.contains(*parent));
        for (const auto& one : facts)
            if (!drop_bad && !counts(one.set)) CHECK(stay.contains(one.set));
        for (std::size_t i = 0; i < counting.size(); ++i) {
            const auto& one = counting[counting.size() - 1 - i];
            if (static_cast<std::int64_t>(i) < rules.last) CHECK(stay.contains(one.set));
            if (rules.within > 0s && counting.back().created - one.created <= rules.within)
                CHECK(stay.contains(one.set));
        }
        std::set<std::string> days;
        for (auto i = counting.rbegin(); i != counting.rend(); ++i)
            if (static_cast<std::int64_t>(days.size()) < rules.daily &&
                days.insert(i->set.substr(0, 8)).second)
                CHECK(stay.contains(i->set));
        // Once done, nothing more goes; and one rule more never takes anything away.
        for (const auto& one : decide(rules, left, drop_bad)) CHECK(one.keep);
        rules.monthly += 1;
        std::set<std::string> more;
        for (const auto& one : decide(rules, facts, drop_bad))
            if (one.keep) more.insert(one.set);
        CHECK(std::includes(more.begin(), more.end(), stay.begin(), stay.end()));
    }
}
