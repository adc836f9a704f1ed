// The rules about backups that failed or did not come, of servers and of groups.
#include <catch2/catch.hpp>

#include "tests/unit/dispatcher/alert/alert_site.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;
using namespace strongroom::test;
using namespace std::chrono_literals;

TEST_CASE("rules: a failed backup, until one succeeds") {
    AlertSite site;
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

TEST_CASE("rules: a schedule that cannot be read is a missing backup at once") {
    AlertSite site;
    site.server->cron = "61 25 * * *";
    CHECK(site.found() == Names{"backup_missing"});
    CHECK(site.text().find("\"61 25 * * *\" cannot be read") != std::string::npos);
}

TEST_CASE("rules: a missing backup, to the millisecond") {
    AlertSite site;
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
    AlertSite site;
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
    AlertSite site;
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
    AlertSite site;
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
    AlertSite site;
    site.server->cron = "0 3 1 * *";
    site.server->last_backup = site.server->last_full = at("2026-11-01T03:10:00Z");
    CHECK(site.found().empty());
    site.facts.now = site.server->last_seen = at("2026-12-01T07:11:00Z");
    CHECK(site.found() == Names{"backup_missing"});
}

TEST_CASE("rules: a group is looked at as a whole") {
    AlertSite site;
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
