// The rules about what a recovery needs: escrow, proofs, keys.
#include <catch2/catch.hpp>

#include "tests/unit/dispatcher/alert/alert_site.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace strongroom::test;
using namespace std::chrono_literals;

TEST_CASE("rules: escrow that was not made") {
    AlertSite site;
    site.server->escrowed = 0;
    CHECK(site.found() == Names{"escrow_missing"});
    site.server->registered = site.facts.now - 3600'000;
    site.server->schedule_created = site.facts.now - 3600'000;
    CHECK(site.found().empty());
}

TEST_CASE("rules: a proof of recovery that was never made, or too long ago") {
    AlertSite site;
    constexpr std::int64_t day = INT64_C(24) * 3600'000;
    site.server->escrow_deposited = site.facts.now - 7 * day;
    CHECK(site.found().empty());
    site.server->escrow_deposited -= 1;
    CHECK(site.found() == Names{"not_recoverable"});
    site.server->proven = site.facts.now - 90 * day;
    CHECK(site.found().empty());
    site.server->proven -= 1;
    CHECK(site.found() == Names{"not_recoverable"});
    CHECK(site.text().find("the last proof") != std::string::npos);
    site.limits.proof_after = std::chrono::seconds(0);
    CHECK(site.found().empty());
}

TEST_CASE("rules: a set that failed its proof by restoring, until one is proven") {
    AlertSite site;
    site.server->restored = site.facts.now - 1000;
    CHECK(site.found().empty());
    site.server->restore_failed = site.facts.now - 1000;
    site.server->restore_failed_text = "set X failed in the step\n";
    CHECK(site.found() == Names{"set_not_proven"});
    CHECK(site.text().find("set X failed in the step\\x0a") != std::string::npos);
    site.server->restored += 1;
    CHECK(site.found().empty());
}

TEST_CASE("rules: a set that failed on a host that verifies for its server") {
    AlertSite site;
    site.server->restore_failed = site.facts.now - 1000;
    site.server->restore_failed_text = "set X failed";
    CHECK(site.text().find("failed its proof by restoring at 2026") != std::string::npos);
    ServerFacts host = *site.server;
    host.uuid = "00000000-0000-4000-8000-000000000002";
    host.label = "proofs\x1b";
    host.restore_failed = 0;
    site.server->restore_failed_by = host.uuid;
    CHECK(site.text().find("by restoring on server " + host.uuid + " at") != std::string::npos);
    CHECK(evaluate(site.facts, site.limits).findings[0].hint.find("--server " + uuid) != std::string::npos);
    site.facts.servers.push_back(host);
    const auto findings = evaluate(site.facts, site.limits).findings;
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].server == uuid);  // it is the source that has no proven set
    CHECK(findings[0].label == "shop");
    CHECK(findings[0].text.find("on server proofs\\x1b (" + host.uuid + ") at") != std::string::npos);
    CHECK(findings[0].hint.find("--server " + host.uuid + " --kind verify-full") != std::string::npos);
}

TEST_CASE("rules: keys near their end") {
    AlertSite site;
    const std::int64_t in_a_month = site.facts.now + INT64_C(30) * 24 * 3600'000;
    site.facts.keys = {{"F", "user alice", in_a_month + 1}, {"G", "the dispatcher", 0}};
    site.server->key_expires = in_a_month + 1;
    CHECK(site.found().empty());
    site.server->key_expires = site.facts.keys[0].expires = in_a_month;
    const auto findings = evaluate(site.facts, site.limits).findings;
    REQUIRE(findings.size() == 2);
    CHECK(findings[0].severity == "warning");
    CHECK(findings[0].server == uuid);
    CHECK(findings[1].object == "F");
    CHECK(findings[1].text.find("user alice expires at") != std::string::npos);
    site.facts.keys[0].expires = site.facts.now;
    CHECK(evaluate(site.facts, site.limits).findings[1].severity == "critical");
}

TEST_CASE("rules: a key that nobody rotates is called to mind") {
    AlertSite site;
    site.server->subkey_since = at("2025-11-22T10:00:00Z");
    CHECK(site.found().empty());
    site.facts.now += 60'000;
    CHECK(site.found() == Names{"rotation_due"});
    CHECK(evaluate(site.facts, site.limits).findings.at(0).severity == "notice");
    CHECK(site.text() ==
          "its decryption key is in use since 2025-11-22T10:00:00Z, and no schedule rotates it");
    site.server->rotates = 1;
    CHECK(site.found().empty());
    site.server->rotates = 0;
    site.limits.rotation_after = std::chrono::seconds(0);
    CHECK(site.found().empty());
}

TEST_CASE("rules: each request for escrow records is a notice of its own, for a day") {
    AlertSite site;
    site.server->fetched = at("2026-11-21T11:00:00Z");
    site.server->fetched_by = "ALICE";
    CHECK(site.found() == Names{"escrow_fetched"});
    const auto first = evaluate(site.facts, site.limits).findings.at(0);
    CHECK(first.severity == "notice");
    CHECK(first.text == "its escrow records were given to user ALICE at 2026-11-21T11:00:00Z");
    CHECK(first.server == uuid);
    site.server->fetched = at("2026-11-22T09:00:00Z");
    CHECK(evaluate(site.facts, site.limits).findings.at(0).object != first.object);
    site.server->fetched = at("2026-11-21T09:59:00Z");
    CHECK(site.found().empty());
}
