#include "dispatcher/alert/rules.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace std::chrono_literals;

namespace {

std::int64_t at(const char* time) {
    return to_millis(parse_utc(time));
}

const std::string uuid = "00000000-0000-4000-8000-000000000001";

// A server on which all is well at 10:00: nightly schedule, last night's backup came, the agent is there.
struct Site {
    Facts facts;
    AlertLimits limits;
    ServerFacts* server;

    Site() {
        facts.now = at("2026-11-22T10:00:00Z");
        facts.started = at("2026-11-01T00:00:00Z");
        facts.created = at("2026-10-01T00:00:00Z");
        facts.disk_total = 1000;
        facts.disk_free = 500;
        ServerFacts well;
        well.uuid = uuid;
        well.label = "shop";
        well.registered = at("2026-11-01T00:00:00Z");
        well.last_seen = at("2026-11-22T09:59:00Z");
        well.escrowed = 1;
        well.cron = "0 3 * * *";
        well.splay = 600;
        well.schedule_created = at("2026-11-02T00:00:00Z");
        well.last_backup = well.last_full = at("2026-11-22T03:20:00Z");
        well.last_job = "job-1";
        well.last_job_state = "succeeded";
        well.last_job_finished = at("2026-11-22T03:20:00Z");
        facts.servers.push_back(well);
        server = &facts.servers.front();
    }
    // Names of the rules that found something, in order.
    std::vector<std::string> found() const {
        std::vector<std::string> out;
        for (const auto& finding : evaluate(facts, limits).findings) out.push_back(finding.rule);
        return out;
    }
    std::string text() const { return evaluate(facts, limits).findings.at(0).text; }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("rules: all is well") {
    CHECK(Site().found().empty());
}

TEST_CASE("rules: a failed backup, until one succeeds") {
    Site site;
    site.server->last_job_state = GENERATE(as<std::string>(), "failed", "expired");
    site.server->last_job_finished = at("2026-11-22T09:00:00Z");
    site.server->last_job_error = "no grant\x1b[31m";
    CHECK(site.found() == Names{"backup_failed"});
    CHECK(site.text().find("no grant\\x1b[31m") != std::string::npos);
    site.server->last_backup = site.server->last_full =
        at("2026-11-22T09:30:00Z");  // made by the agent itself
    CHECK(site.found().empty());
    site.server->last_job_state = "cancelled";
    CHECK(site.found().empty());
}

TEST_CASE("rules: a verification that failed is critical, another job a warning") {
    Site site;
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

TEST_CASE("rules: a schedule that cannot be read is a missing backup at once") {
    Site site;
    site.server->cron = "61 25 * * *";
    CHECK(site.found() == Names{"backup_missing"});
    CHECK(site.text().find("\"61 25 * * *\" cannot be read") != std::string::npos);
}

TEST_CASE("rules: a missing backup, to the millisecond") {
    Site site;
    site.facts.now = at("2026-11-23T03:00:00Z") + 600'000 + site.limits.missing_after.count() * 1000;
    site.server->last_seen = site.facts.now;
    CHECK(site.found().empty());  // slot, splay and grace are just over
    ++site.facts.now;
    CHECK(site.found() == Names{"backup_missing"});
    CHECK(site.text().find("2026-11-23T03:00:00Z") != std::string::npos);
    site.server->last_backup = site.server->last_full = at("2026-11-23T03:05:00Z");
    CHECK(site.found().empty());
}

TEST_CASE("rules: increments do not stand for a full backup, and a full one stands for an increment") {
    Site site;
    site.server->increment_cron = "0 * * * *";
    site.server->increment_created = at("2026-11-02T00:00:00Z");
    site.server->last_backup = at("2026-11-22T09:01:00Z");
    CHECK(site.found().empty());
    site.facts.now = at("2026-11-22T10:00:00Z") + site.limits.missing_after.count() * 1000 + 1;
    site.server->last_seen = site.facts.now;
    CHECK(site.found() == Names{"backup_missing"});
    CHECK(site.text().find("the increment due at 2026-11-22T10:00:00Z") != std::string::npos);
    site.server->last_full = site.server->last_backup = at("2026-11-22T10:02:00Z");
    CHECK(site.found().empty());

    // Increments come each hour, and the full backup of the night did not.
    site.server->last_full = at("2026-11-21T03:02:00Z");
    CHECK(site.found() == Names{"backup_missing"});
    CHECK(site.text().find("the backup due at 2026-11-22T03:00:00Z") != std::string::npos);
    site.server->last_full = 0;
    site.server->cron.clear();
    CHECK(site.found().empty());  // only increments are wanted: the first is a full one
}

TEST_CASE("rules: a server that was never backed up") {
    Site site;
    site.server->last_backup = site.server->last_full = 0;
    site.server->last_job_state.clear();
    SECTION("with a schedule: its first slot counts") {
        site.server->schedule_created = at("2026-11-22T04:00:00Z");
        CHECK(site.found().empty());
        site.server->schedule_created = at("2026-11-22T02:00:00Z");
        CHECK(site.found() == Names{"backup_missing"});
        CHECK(site.text().find("never") != std::string::npos);
    }
    SECTION("without a schedule") {
        site.server->cron.clear();
        CHECK(site.found() == Names{"backup_missing"});
        CHECK(site.text().find("no schedule") != std::string::npos);
        site.server->registered = at("2026-11-20T00:00:00Z");
        CHECK(site.found().empty());
    }
}

TEST_CASE("rules: a host that only verifies for others is missed no backup, unless it has a schedule") {
    Site site;
    site.server->last_backup = site.server->last_full = 0;
    site.server->last_job_state.clear();
    site.server->cron.clear();
    site.server->source = GENERATE(as<std::string>(), "mariadb-backup", "none");
    const bool only_verifies = site.server->source == "none";
    CHECK(site.found() == (only_verifies ? Names{} : Names{"backup_missing"}));
    site.server->increment_cron = "0 3 * * *";
    site.server->increment_created = at("2026-11-02T00:00:00Z");
    CHECK(site.found() == Names{"backup_missing"});
    site.server->increment_cron.clear();
    site.server->cron = "0 3 * * *";
    CHECK(site.found() == Names{"backup_missing"});
    // All else is asked of it as of any other.
    site.server->cron.clear();
    site.server->registered = at("2026-11-20T00:00:00Z");
    site.server->escrowed = 0;
    CHECK(site.found() == Names{"escrow_missing"});
    site.server->escrow_deposited = at("2026-11-02T00:00:00Z");
    site.server->escrowed = 1;
    CHECK(site.found() == Names{"not_recoverable"});
}

TEST_CASE("rules: a schedule that runs seldom is not missed before its time") {
    Site site;
    site.server->cron = "0 3 1 * *";
    site.server->last_backup = site.server->last_full = at("2026-11-01T03:10:00Z");
    CHECK(site.found().empty());
    site.facts.now = site.server->last_seen = at("2026-12-01T07:11:00Z");
    CHECK(site.found() == Names{"backup_missing"});
}

TEST_CASE("rules: a silent agent") {
    Site site;
    site.server->last_seen = site.facts.now - 15 * 60'000;
    CHECK(site.found().empty());
    --site.server->last_seen;
    CHECK(site.found() == Names{"agent_silent"});
}

TEST_CASE("rules: just after a start nothing is known of agents and their backups") {
    Site site;
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

TEST_CASE("rules: escrow that was not made") {
    Site site;
    site.server->escrowed = 0;
    CHECK(site.found() == Names{"escrow_missing"});
    site.server->registered = site.facts.now - 3600'000;
    site.server->schedule_created = site.facts.now - 3600'000;
    CHECK(site.found().empty());
}

TEST_CASE("rules: a proof of recovery that was never made, or too long ago") {
    Site site;
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
    Site site;
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
    Site site;
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
    Site site;
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

TEST_CASE("rules: disk and own backup") {
    Site site;
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
    Site site;
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

TEST_CASE("rules: a key that nobody rotates is called to mind") {
    Site site;
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
    Site site;
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

TEST_CASE("rules: a group is looked at as a whole") {
    Site site;
    site.server->cron.clear();
    site.server->owner = "alice";
    site.server->last_backup = site.server->last_full = at("2026-11-10T00:00:00Z");
    CHECK(site.found() == Names{"backup_missing"});  // it has no schedule
    GroupFacts group;
    group.owner = "alice";
    group.group = "shop";
    group.kind = "backup";
    group.cron = "0 3 * * *";
    group.created = at("2026-11-02T00:00:00Z");
    group.members = 2;
    group.last_full = group.last_backup = at("2026-11-22T03:20:00Z");
    site.facts.groups = {group};
    site.facts.states = {{uuid, 1, "shop", "{}"}};
    const auto look = [&] {
        site.facts.by_group = servers_by_group(site.facts.servers, site.facts.states, site.facts.groups);
    };
    look();
    CHECK(site.found().empty());  // another member made it
    site.facts.groups[0].owner = "bob";
    look();
    CHECK(site.found() == Names{"backup_missing"});  // a group of another user
    site.facts.groups[0].owner = "alice";
    look();

    auto& now = site.facts.groups[0];
    now.last_full = at("2026-11-21T03:20:00Z");
    CHECK(site.found() == Names{"backup_missing"});
    CHECK(site.text().find("no member made the backup due at 2026-11-22T03:00:00Z") != std::string::npos);
    now.kind = "incremental";  // any backup serves it
    CHECK(site.found().empty());
    now.kind = "backup";
    now.last_full = now.last_backup;
    now.members = 0;
    now.last_full = 0;
    CHECK(site.text().find("no server is in the group") != std::string::npos);
    now.last_full = now.last_backup;
    now.last_job = "job-1";
    now.last_job_state = "failed";
    now.last_job_finished = at("2026-11-22T04:00:00Z");
    now.last_job_error = "each member of the group has failed";
    CHECK(site.found() == Names{"backup_failed"});
    now.last_backup = at("2026-11-22T05:00:00Z");  // any member's backup ends it
    CHECK(site.found().empty());
}

TEST_CASE("rules: a binary log that is streamed and stays behind") {
    Site site;
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
