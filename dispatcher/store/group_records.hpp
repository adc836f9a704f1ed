// What the dispatcher keeps of servers that replicate from each other: see records.hpp for times and texts.
#pragma once

#include <cstdint>
#include <string>

namespace strongroom::dispatcher {

// What a server's agent last said of its database server.
struct ServerStateReport {
    std::string server;
    std::int64_t reported = 0;
    std::string group;  // empty: none. A group is the servers of one user that name it
    std::string state;  // JSON of a proto::ServerState that was checked
};

// Of a group: each slot makes one job, which one member after another is given until it is done.
struct GroupSchedule {
    std::string id;
    std::string owner;  // a user's fingerprint
    std::string group;
    std::string kind;  // "backup" or "incremental"
    std::string cron;
    std::int64_t splay = 0;
    std::int64_t primary_after =
        0;  // seconds after a job was made until the primary may be given it; -1: never
    std::int64_t created = 0;
    std::int64_t next_slot = 0;
};

// A member that a group's job was taken from.
struct JobMove {
    std::string job;
    std::string server;
    std::int64_t moved = 0;
    std::int64_t final = 0;  // 1: it tried and failed: it does not get this job again
    std::string reason;      // may hold foreign text
};

// What the choice among a group's members needs to know of one of them.
struct GroupMember {
    std::string server;
    std::string label;  // foreign text
    std::int64_t last_seen = 0;
    std::int64_t reported = 0;
    std::string state;             // as in ServerStateReport
    std::int64_t last_backup = 0;  // when its newest backup was reported; 0: none
    std::int64_t busy = 0;         // jobs that it holds now
};

// What the rules of dispatcher/alert need to know of one schedule of a group.
struct GroupFacts {
    std::string schedule;
    std::string owner;
    std::string group;
    std::string kind;
    std::string cron;
    std::int64_t splay = 0;
    std::int64_t created = 0;
    std::int64_t members = 0;
    std::int64_t last_backup = 0;  // of any member: when the newest was reported
    std::int64_t last_full = 0;
    // The job of this schedule that ended last.
    std::string last_job;
    std::string last_job_state;
    std::string last_job_server;
    std::int64_t last_job_finished = 0;
    std::string last_job_error;
};

}  // namespace strongroom::dispatcher
