// What the rules look at, where all is well: a test changes what it is about.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/alert/rules.hpp"

namespace strongroom::test {

inline std::int64_t at(const char* time) {
    return to_millis(parse_utc(time));
}

inline const std::string uuid = "00000000-0000-4000-8000-000000000001";

// A server on which all is well at 10:00: nightly schedule, last night's backup came, the agent is there.
struct AlertSite {
    dispatcher::Facts facts;
    dispatcher::AlertLimits limits;
    dispatcher::ServerFacts* server;

    AlertSite() {
        facts.now = at("2026-11-22T10:00:00Z");
        facts.started = at("2026-11-01T00:00:00Z");
        facts.created = at("2026-10-01T00:00:00Z");
        facts.disk_total = 1000;
        facts.disk_free = 500;
        dispatcher::ServerFacts well;
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

}  // namespace strongroom::test
