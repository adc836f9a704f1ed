// Outcomes of proofs, kept until the dispatcher took them.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "agent/state/records.hpp"
#include "tests/support/fake_clock.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace std::chrono_literals;

namespace {

const UtcTime start = parse_utc("2026-11-22T02:00:00Z");
const std::string first = "20261122T010000Z-00000001";
const std::string second = "20261122T010000Z-00000002";
const std::string other = "11111111-1111-4111-8111-111111111111";

proto::SetProof proof(const std::string& set, UtcTime time, const std::optional<std::string>& server = {}) {
    return {set, to_millis(time), true, "it holds", server};
}

// A report of all that is kept, which leaves `left`.
std::size_t tell(RunState& runs, UtcTime now, const std::vector<proto::ProofOf>& left) {
    return runs.proofs_told(*runs.proofs, left, now);
}

}  // namespace

TEST_CASE("a proof that was taken is forgotten, one that was left is told again an hour later") {
    RunState runs;
    CHECK_FALSE(runs.has_proofs_to_tell(start));
    runs.add_proof(proof(first, start - 1min));
    runs.add_proof(proof(first, start - 1min, other));
    runs.add_proof(proof(second, start - 1min));
    CHECK(runs.has_proofs_to_tell(start));

    CHECK(tell(runs, start, {{first, other}, {second, {}}}) == 2);
    REQUIRE(runs.proofs->size() == 2);
    CHECK(runs.proofs->front().server == other);
    CHECK_FALSE(runs.has_proofs_to_tell(start));
    CHECK_FALSE(runs.has_proofs_to_tell(start + 59min));
    CHECK(runs.has_proofs_to_tell(start + 1h));
    CHECK(runs.has_proofs_to_tell(start - 1s));  // a clock that was set back

    CHECK(tell(runs, start + 1h, {{second, {}}}) == 1);
    CHECK_FALSE(runs.has_proofs_to_tell(start + 90min));
    CHECK(from_json<RunState>(to_json(runs)).proofs->front().set == second);
    CHECK_FALSE(from_json<RunState>(to_json(runs)).has_proofs_to_tell(start + 90min));
    CHECK(tell(runs, start + 2h, {}) == 0);
    CHECK_FALSE(runs.proofs);
    CHECK_FALSE(runs.has_proofs_to_tell(start + 9h));
}

TEST_CASE("a new proof is told at once, with those that were left") {
    RunState runs;
    runs.add_proof(proof(first, start - 1min));
    CHECK(tell(runs, start, {{first, {}}}) == 1);
    runs.add_proof(proof(second, start + 1min));
    CHECK(runs.has_proofs_to_tell(start + 1min));

    // Made while a report was under way: neither its answer nor one about the former outcome is about this
    // one.
    const auto sent = *runs.proofs;
    runs.add_proof(proof(first, start + 2min));
    CHECK(runs.proofs_told(sent, {}, start + 1min) == 0);
    REQUIRE(runs.proofs->size() == 1);
    CHECK(runs.proofs->front().time == to_millis(start + 2min));
    CHECK(runs.has_proofs_to_tell(start + 2min));
}

TEST_CASE("a proof from a time that has not come, by a clock that was set back, is no new one each time") {
    RunState runs;
    runs.add_proof(proof(first, start + 24h));
    CHECK(tell(runs, start, {{first, {}}}) == 1);
    CHECK_FALSE(runs.has_proofs_to_tell(start + 1min));
    CHECK(runs.has_proofs_to_tell(start + 1h));
}

TEST_CASE("a proof is told for a week, and no more than a hundred are kept") {
    RunState runs;
    runs.add_proof(proof(first, start));
    CHECK(tell(runs, start + 7 * 24h - 1s, {{first, {}}}) == 1);
    CHECK(tell(runs, start + 7 * 24h, {{first, {}}}) == 0);
    CHECK_FALSE(runs.proofs);

    // Of a time without a dispatcher: told at least once.
    runs.add_proof(proof(first, start));
    CHECK(runs.has_proofs_to_tell(start + 30 * 24h));

    for (int i = 0; i < 120; ++i)
        runs.add_proof(proof(fmt::format("20261122T010000Z-{:08x}", i + 16), start + 1s * i));
    CHECK(runs.proofs->size() == 100);
    CHECK(runs.proofs->back().time == to_millis(start + 119s));
}
