// All rules together, and those about agents, jobs and the dispatcher itself.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/dispatcher/alert/alert_site.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace strongroom::test;
using namespace std::chrono_literals;

TEST_CASE("rules: all is well") {
    CHECK(AlertSite().found().empty());
}

TEST_CASE("rules: a verification that failed is critical, another job a warning") {
    AlertSite site;
    Job job;
    job.id = "job-2";
    job.server = uuid;
    job.kind = "verify";
    job.state = JobState::failed;
    job.finished = at("2026-11-22T09:00:00Z");
    job.problem.text = "1 of 5 set(s) are not good\x1b";
    site.facts.failed_jobs = {job};
    job.kind = "rotate";
    site.facts.failed_jobs.push_back(job);
    const auto findings = evaluate(site.facts, site.limits).findings;
    REQUIRE(site.found() == Names{"job_failed", "job_failed"});
    CHECK(findings[0].severity == "critical");
    CHECK(findings[0].object == uuid + "/verify");
    CHECK(findings[0].label == "shop");
    CHECK(findings[0].text.find("1 of 5 set(s) are not good\\x1b") != std::string::npos);
    CHECK(findings[1].severity == "warning");
    CHECK(findings[1].object == uuid + "/rotate");
}

TEST_CASE("rules: a silent agent") {
    AlertSite site;
    site.server->last_seen = site.facts.now - 15 * 60'000;
    CHECK(site.found().empty());
    --site.server->last_seen;
    CHECK(site.found() == Names{"agent_silent"});
}

TEST_CASE("rules: just after a start nothing is known of agents and their backups") {
    AlertSite site;
    site.server->last_seen = at("2026-11-20T00:00:00Z");
    site.server->last_backup = site.server->last_full = at("2026-11-20T00:00:00Z");
    site.facts.started = site.facts.now - 60'000;
    const auto evaluation = evaluate(site.facts, site.limits);
    CHECK(evaluation.findings.empty());
    CHECK(evaluation.undecided == std::set<std::string>{"agent_silent", "backup_missing", "log_behind"});
    site.facts.started = site.facts.now - 16 * 60'000;
    CHECK(site.found() == Names{"backup_missing", "agent_silent"});
    CHECK(evaluate(site.facts, site.limits).undecided.empty());
}

TEST_CASE("rules: disk and own backup") {
    AlertSite site;
    site.facts.disk_free = 49;
    CHECK(site.found() == Names{"disk_low"});
    site.facts.disk_total = 0;  // not known
    CHECK(site.found().empty());
    site.limits.own_backup_after = 24h;
    CHECK(site.found() == Names{"own_backup"});
    site.facts.own_backup = site.facts.now - 1000;
    CHECK(site.found().empty());
}

TEST_CASE("rules: every rule that is found has its name in the list") {
    AlertSite site;
    site.limits.own_backup_after = 1s;
    site.facts.disk_free = 0;
    site.server->escrowed = 0;
    site.server->escrow_deposited = 1;  // long ago, and never proven
    site.server->key_expires = 1;
    site.server->last_seen = 0;
    site.server->last_backup = site.server->last_full = 1;
    site.server->last_job_state = "failed";
    site.facts.failed_jobs = {Job{}};
    site.server->fetched = site.facts.now;
    site.server->identity_changed = site.facts.now;
    site.server->subkey_since = 1;
    site.server->restore_failed = 1;
    site.server->registered = 0;
    site.facts.logs[uuid] = {};
    auto found = site.found();
    std::sort(found.begin(), found.end());
    auto names = alert_rules();
    std::sort(names.begin(), names.end());
    CHECK(found == names);
}

TEST_CASE("rules: a binary log that is streamed and stays behind") {
    AlertSite site;
    auto& logs = site.facts.logs[uuid];
    logs.since = at("2026-11-20T00:00:00Z");
    logs.covered = at("2026-11-22T09:31:00Z");
    CHECK(site.found().empty());
    logs.covered = at("2026-11-22T09:29:00Z");
    logs.problem = "the store is away";
    CHECK(site.found() == Names{"log_behind"});
    CHECK(site.text() == "its binary log is in the store up to 2026-11-22T09:29:00Z only: the store is away");
    site.facts.started = at("2026-11-22T09:55:00Z");  // its agents need a moment to tell
    CHECK(site.found().empty());
    site.facts.started = at("2026-11-01T00:00:00Z");
    logs.covered = 0;
    CHECK(site.found() == Names{"log_behind"});
    CHECK(site.text() == "nothing of its binary log is in the store: the store is away");
    site.server->registered = at("2026-11-22T09:50:00Z");
    CHECK(site.found().empty());
    site.facts.logs.clear();
    site.facts.logs["00000000-0000-4000-8000-00000000000f"].problem = "of a server that is retired";
    CHECK(site.found().empty());
}
