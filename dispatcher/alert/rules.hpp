// The rules: a pure function from facts to what is wrong now. No clock, no store, no network.
//
//   backup_failed    critical  the backup job that ended last did not succeed, and no backup came since
//   backup_missing   critical  the first slot after the newest backup of the kind is over by its splay and
//                              `missing_after`; or: no schedule, and no backup for `unscheduled_after`,
//                              unless the agent says that it makes none (source "none")
//                              (schedules of full backups and of increments each for itself; a group as a
//                              whole: any member's backup counts)
//   job_failed       critical  the verification or increment that ended last did not succeed
//                    warning   another kind of job
//   log_behind       critical  a binary log that is streamed is not in the store for `log_after`
//   agent_silent     warning   neither message nor long poll for `silent_after`
//   escrow_missing   critical  `escrow_after` after registration, the newest subkey is not in escrow
//   not_recoverable  warning   no proof of recovery for `proof_after`; of an escrow record that was
//                              never proven, for `first_proof_after`
//   rotation_due     notice    no schedule rotates the key, and it is in use for `rotation_after`
//   escrow_fetched   notice    the server's escrow records were given out within the last day
//   identity_changed notice    the server's identity key was changed within the last day
//   key_expiring     warning   a key of a user, a server or the dispatcher, `key_notice` ahead
//                    critical  it has expired
//   disk_low         critical  less than `disk_free_percent` of the database's file system is free
//   own_backup       warning   the last backup of the dispatcher itself is older than `own_backup_after`
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "dispatcher/store/records.hpp"
#include "proto/server_state.hpp"

namespace strongroom::dispatcher {

struct AlertLimits {
    std::chrono::seconds missing_after = std::chrono::hours(4);
    std::chrono::seconds unscheduled_after = std::chrono::hours(24 * 7);
    std::chrono::seconds silent_after = std::chrono::minutes(15);
    std::chrono::seconds log_after = std::chrono::minutes(30);
    std::chrono::seconds escrow_after = std::chrono::hours(1);
    std::chrono::seconds first_proof_after = std::chrono::hours(24 * 7);  // of a record that was never proven
    std::chrono::seconds proof_after = std::chrono::hours(24 * 90);       // 0: proofs are not asked for
    std::chrono::seconds rotation_after = std::chrono::hours(24 * 365);   // 0: no reminder
    std::chrono::seconds key_notice = std::chrono::hours(24 * 30);
    int disk_free_percent = 5;
    std::chrono::seconds own_backup_after{0};
};

struct KeyFact {
    std::string fingerprint;
    std::string whose;  // "user alice", "the dispatcher"
    std::int64_t expires = 0;
};

struct Facts {
    std::int64_t now = 0;      // UTC milliseconds, as all times here
    std::int64_t started = 0;  // when this dispatcher began to serve: agents need a moment to come back
    std::vector<ServerFacts> servers;
    std::vector<ServerStateReport> states;  // of those that told one
    std::vector<GroupFacts> groups;
    std::map<std::string, proto::LogCoverage> logs;  // by server, where its agent streams them
    std::set<std::string> by_group;                  // servers whose group has a schedule: servers_by_group()
    std::vector<Job> failed_jobs;                    // Transaction::failed_jobs()
    std::vector<KeyFact> keys;  // of users and the dispatcher; a server's is in its own facts
    std::int64_t disk_free = 0;
    std::int64_t disk_total = 0;    // bytes; 0: not known
    std::int64_t own_backup = 0;    // when it was last made
    std::int64_t created = 0;       // when this dispatcher was first there
    std::int64_t proof_window = 0;  // how long a proof counts, milliseconds
};

std::set<std::string> servers_by_group(const std::vector<ServerFacts>& servers,
                                       const std::vector<ServerStateReport>& states,
                                       const std::vector<GroupFacts>& groups);

struct Finding {
    std::string rule;
    std::string object;  // UUID, UUID/KIND of a job, fingerprint or empty: (rule, object) names the alert
    std::string severity;
    std::string server;  // UUID, or empty
    std::string label;
    std::string text;
    std::string hint;
};

struct Evaluation {
    std::vector<Finding> findings;
    // Rules that could not be decided this time, as just after the start: their open alerts stay as they are.
    std::set<std::string> undecided;
};

const std::vector<std::string>& alert_rules();  // all names
Evaluation evaluate(const Facts& facts, const AlertLimits& limits);

}  // namespace strongroom::dispatcher
