#include "dispatcher/audit/chain.hpp"

#include <catch2/catch.hpp>
#include <functional>

#include "common/base/encoding.hpp"
#include "dispatcher/audit/refusal_book.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;

namespace {

std::vector<AuditEntry> make_chain(int length) {
    std::vector<AuditEntry> out;
    std::string hash(audit_genesis);
    for (int i = 1; i <= length; ++i) {
        AuditEntry entry{"id-" + std::to_string(i),  i,    1000 * i, "owner", "actor", "job.create",
                         "job-" + std::to_string(i), "ok", "text",   ""};
        entry.hash = audit_digest(hash, entry);
        hash = entry.hash;
        out.push_back(entry);
    }
    return out;
}

std::vector<std::string> problems(const std::vector<AuditEntry>& entries,
                                  std::vector<std::string> anchors = {}) {
    ChainCheck check(std::move(anchors));
    for (const auto& entry : entries) check.next(entry);
    return check.finish();
}

void expect_one(const std::vector<AuditEntry>& entries, const std::string& part) {
    const auto found = problems(entries);
    INFO(part);
    REQUIRE_FALSE(found.empty());
    INFO(found.front());
    CHECK(found.front().find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("audit: the digest is the documented one") {
    const AuditEntry entry{"i", 1, 2, "o", "a", "c", "b", "ok", "t,:", ""};
    CHECK(audit_digest(audit_genesis, entry) ==
          sha256_hex("64:" + std::string(64, '0') + ",1:1,1:i,1:2,1:o,1:a,1:c,1:b,2:ok,3:t,:,"));
}

TEST_CASE("audit: moving bytes from one field to the next changes the digest") {
    const AuditEntry one{"i", 1, 2, "o", "ab", "c", "", "ok", "", ""};
    const AuditEntry two{"i", 1, 2, "o", "a", "bc", "", "ok", "", ""};
    CHECK(audit_digest(audit_genesis, one) != audit_digest(audit_genesis, two));
}

TEST_CASE("audit: a whole chain has no problem, an empty one neither") {
    CHECK(problems({}).empty());
    ChainCheck check;
    const auto chain = make_chain(5);
    for (const auto& entry : chain) check.next(entry);
    CHECK(check.finish().empty());
    CHECK(check.count() == 5);
    CHECK(check.head().seq == 5);
    CHECK(check.head().hash == chain.back().hash);
}

TEST_CASE("audit: every changed field is found and the entry named") {
    const auto whole = make_chain(6);
    const auto changed = [&](const std::function<void(AuditEntry&)>& change) {
        auto chain = whole;
        change(chain[2]);
        expect_one(chain, "entry 3 (");
        CHECK(problems(chain).size() == 1);  // and no other entry is accused
    };
    changed([](AuditEntry& e) { e.id = "x"; });
    changed([](AuditEntry& e) { e.time += 1; });
    changed([](AuditEntry& e) { e.owner = "x"; });
    changed([](AuditEntry& e) { e.actor = "x"; });
    changed([](AuditEntry& e) { e.action = "x"; });
    changed([](AuditEntry& e) { e.object = "x"; });
    changed([](AuditEntry& e) { e.outcome = "x"; });
    changed([](AuditEntry& e) { e.text = "x"; });
}

TEST_CASE("audit: removed, put in, moved and numbered anew") {
    auto removed = make_chain(6);
    removed.erase(removed.begin() + 2);
    expect_one(removed, "entry 3 is missing");
    auto two_removed = make_chain(6);
    two_removed.erase(two_removed.begin() + 2, two_removed.begin() + 4);
    expect_one(two_removed, "entries 3 to 4 are missing");
    auto first_removed = make_chain(3);
    first_removed.erase(first_removed.begin());
    expect_one(first_removed, "entry 1 is missing");

    auto closed_up = make_chain(6);  // removed, and the others moved up
    closed_up.erase(closed_up.begin() + 2);
    for (std::size_t i = 2; i < closed_up.size(); ++i) --closed_up[i].seq;
    expect_one(closed_up, "entry 3 (");

    auto put_in = make_chain(6);
    AuditEntry foreign{"x", 4, 1, "", "operator", "user.add", "", "ok", "", ""};
    foreign.hash = audit_digest(put_in[2].hash, foreign);
    put_in.insert(put_in.begin() + 3, foreign);
    for (std::size_t i = 4; i < put_in.size(); ++i) ++put_in[i].seq;
    expect_one(put_in, "entry 5 (");  // the first that no longer follows what stands before it

    auto moved = make_chain(6);
    std::swap(moved[2], moved[3]);
    std::swap(moved[2].seq, moved[3].seq);
    expect_one(moved, "entry 3 (");
}

TEST_CASE(
    "audit: a tail that was cut off, or a trail written anew, shows only against a head that was kept") {
    const auto chain = make_chain(6);
    auto cut = chain;
    cut.resize(4);
    CHECK(problems(cut).empty());
    CHECK(problems(cut, {chain[3].hash}).empty());
    CHECK(problems(cut, {chain[5].hash}).size() == 1);
    CHECK(problems(chain, {chain[0].hash, chain[5].hash}).empty());
}

TEST_CASE("audit: a trail that is broken everywhere is told in a bounded number of lines") {
    auto chain = make_chain(200);
    for (auto& entry : chain) entry.text = "x";
    CHECK(problems(chain).size() == ChainCheck::max_problems + 1);
    CHECK(problems(chain).back() == "... and 150 more");
}

TEST_CASE("refusals of one identity are audited up to a limit, the rest is counted once") {
    RefusalBook book;
    std::int64_t now = 1'000'000;
    int admitted = 0;
    for (int i = 0; i < 500; ++i)
        if (book.admit("A", "owner", now++)) ++admitted;
    CHECK(admitted == RefusalBook::entries_an_hour);
    CHECK(book.admit("B", "owner", now));  // another identity is not touched
    CHECK(book.take_ended(now).empty());
    now += 3'600'000;
    const auto ended = book.take_ended(now);
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].actor == "A");
    CHECK(ended[0].owner == "owner");
    CHECK(ended[0].count == 500 - RefusalBook::entries_an_hour);
    CHECK(book.take_ended(now).empty());
    CHECK(book.admit("A", "owner", now));
    for (int i = 0; i < 30; ++i) book.admit("A", "owner", now);
    REQUIRE(book.take_all().size() == 1);
}

TEST_CASE("a count of refusals is not lost when nobody takes it in time") {
    RefusalBook book;
    for (int i = 0; i < 30; ++i) book.admit("A", "", 0);
    for (int i = 0; i < 5; ++i) CHECK_FALSE(book.admit("A", "", 4'000'000));
    CHECK(book.take_ended(8'000'000).at(0).count == 15);
}
