// What users send, and the replies (PROTOCOL.md section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/message_parts.hpp"
#include "proto/server_state.hpp"

namespace strongroom::proto {

// ---------------------------------------------------------------------------------------------------

struct RegistrationCreate {
    static constexpr const char* type = "registration.create";
    std::string label;
    std::string code_hash;  // registration_code.hpp; the code itself stays with the user
    template <class Fields>
    void fields(Fields& f) {
        f("label", label, short_text);
        f("code_hash", code_hash, sha256_text);
    }
    struct Reply {
        std::int64_t expires = 0;
        template <class Fields>
        void fields(Fields& f) {
            f("expires", expires, any_time);
        }
    };
};

struct Server {
    std::string server;
    std::string label;
    std::string identity;
    std::string subkey;
    std::vector<std::string> recovery;
    std::int64_t registered = 0;
    std::optional<std::int64_t> last_seen;
    bool retired = false;
    std::optional<std::int64_t> escrowed;
    std::optional<std::int64_t> proven;     // when that escrow record was last shown to open
    std::optional<std::string> proven_by;   // a user's fingerprint
    bool recoverable = false;               // proven, and not too long ago for the dispatcher's setting
    std::optional<std::int64_t> fetched;    // when its escrow records were last given out
    std::optional<std::string> fetched_by;  // a user's fingerprint
    std::int64_t fetches = 0;               // in 30 days
    std::optional<std::int64_t> last_backup;
    std::optional<std::string> last_set;
    std::optional<std::string> last_problem;
    std::string version;
    std::optional<std::string> store;
    std::optional<std::string> source;
    std::optional<std::int64_t> recovery_sequence;  // changes of the recovery keys so far; none: 0
    std::optional<SetProof> restored{};             // the last proof by restoring that succeeded
    std::optional<SetProof> not_restored{};         // the last one that failed
    std::optional<std::int64_t> identity_changed;   // the last change of the identity key
    std::optional<std::string> identity_before;
    std::optional<std::string> identity_pending;          // the key that waits for its user's approval
    std::optional<ServerState> state{};                   // what its agent last said of the database server
    std::optional<std::int64_t> state_reported;           // and when
    std::optional<std::vector<std::string>> verifiers{};  // identity keys of hosts that may prove its sets
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("label", label, short_text);
        f("identity", identity, fingerprint_text);
        f("subkey", subkey, fingerprint_text);
        f("recovery", recovery, Many<Text>{16, fingerprint_text});
        f("registered", registered, any_time);
        f("last_seen", last_seen, any_time);
        f("retired", retired);
        f("escrowed", escrowed, any_time);
        f("proven", proven, any_time);
        f("proven_by", proven_by, fingerprint_text);
        f("recoverable", recoverable);
        f("fetched", fetched, any_time);
        f("fetched_by", fetched_by, fingerprint_text);
        f("fetches", fetches, any_size);
        f("last_backup", last_backup, any_time);
        f("last_set", last_set, set_id_text);
        f("last_problem", last_problem, long_text);
        f("version", version, short_text);
        f("store", store, short_text);
        f("source", source, short_text);
        f("recovery_sequence", recovery_sequence, Range{0, INT64_C(1) << 40});
        f("restored", restored);
        f("not_restored", not_restored);
        f("identity_changed", identity_changed, any_time);
        f("identity_before", identity_before, fingerprint_text);
        f("identity_pending", identity_pending, fingerprint_text);
        f("state", state);
        f("state_reported", state_reported, any_time);
        f("verifiers", verifiers, Many<Text>{max_verifiers, fingerprint_text});
    }
};

struct Schedule {
    std::string id;
    std::string kind;
    std::string cron;
    std::int64_t splay_s = 0;
    std::int64_t next_due = 0;
    template <class Fields>
    void fields(Fields& f) {
        f("id", id, uuid_text);
        f("kind", kind, job_kind_text);
        f("cron", cron, short_text);
        f("splay_s", splay_s, Range{0, 86'400});
        f("next_due", next_due, any_time);
    }
};

struct ServerList {
    static constexpr const char* type = "server.list";
    template <class Fields>
    void fields(Fields&) {}
    struct Reply {
        std::vector<Server> servers;
        template <class Fields>
        void fields(Fields& f) {
            f("servers", servers, Many<Nested>{max_list, {}});
        }
    };
};

struct ServerShow {
    static constexpr const char* type = "server.show";
    std::string server;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
    }
    struct Reply {
        Server info;
        std::vector<Schedule> schedules;
        std::string public_key;
        template <class Fields>
        void fields(Fields& f) {
            f("info", info);
            f("schedules", schedules, Many<Nested>{100, {}});
            f("public_key", public_key, key_text);
        }
    };
};

struct ServerRetire {
    static constexpr const char* type = "server.retire";
    std::string server;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
    }
    using Reply = Empty;
};

struct ScheduleSet {
    static constexpr const char* type = "schedule.set";
    std::string server;
    std::string kind;
    std::string cron;  // empty removes the schedule of this kind
    std::int64_t splay_s = 0;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("kind", kind, job_kind_text);
        f("cron", cron, short_text);
        f("splay_s", splay_s, Range{0, 86'400});
    }
    struct Reply {
        std::optional<std::string> schedule;
        template <class Fields>
        void fields(Fields& f) {
            f("schedule", schedule, uuid_text);
        }
    };
};

struct JobCreate {
    static constexpr const char* type = "job.create";
    std::string server;
    std::string kind;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("kind", kind, job_kind_text);
    }
    struct Reply {
        std::string job;
        template <class Fields>
        void fields(Fields& f) {
            f("job", job, uuid_text);
        }
    };
};

struct Job {
    std::string id;
    std::string server;
    std::string kind;
    std::string state;
    std::int64_t attempt = 0;
    std::int64_t created = 0;
    std::optional<std::string> schedule;
    std::optional<std::int64_t> slot;
    std::optional<std::int64_t> started;
    std::optional<std::int64_t> finished;
    std::optional<std::string> stage;
    std::int64_t plain_bytes = 0;
    std::int64_t stored_bytes = 0;
    std::int64_t total_bytes = 0;
    std::optional<std::int64_t> rate;
    std::optional<std::int64_t> retries;
    std::optional<std::string> set;
    std::optional<Problem> problem;
    std::optional<std::string> group{};  // the job of a group, which `server` has now
    std::optional<std::string> moved{};  // who had it before, and why it moved on
    template <class Fields>
    void fields(Fields& f) {
        f("group", group, group_text);
        f("moved", moved, long_text);
        f("id", id, uuid_text);
        f("server", server, uuid_text);
        f("kind", kind, job_kind_text);
        f("state", state, job_state_text);
        f("attempt", attempt, Range{0, 100});
        f("created", created, any_time);
        f("schedule", schedule, uuid_text);
        f("slot", slot, any_time);
        f("started", started, any_time);
        f("finished", finished, any_time);
        f("stage", stage, short_text);
        f("plain_bytes", plain_bytes, any_size);
        f("stored_bytes", stored_bytes, any_size);
        f("total_bytes", total_bytes, any_size);
        f("rate", rate, any_size);
        f("retries", retries, any_size);
        f("set", set, set_id_text);
        f("problem", problem);
    }
};

struct JobList {
    static constexpr const char* type = "job.list";
    std::optional<std::string> server;
    std::int64_t limit = 100;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("limit", limit, limit_range);
    }
    struct Reply {
        std::vector<Job> jobs;  // newest first
        template <class Fields>
        void fields(Fields& f) {
            f("jobs", jobs, Many<Nested>{max_list, {}});
        }
    };
};

struct JobCancel {
    static constexpr const char* type = "job.cancel";
    std::string job;
    template <class Fields>
    void fields(Fields& f) {
        f("job", job, uuid_text);
    }
    struct Reply {
        std::string state;
        template <class Fields>
        void fields(Fields& f) {
            f("state", state, job_state_text);
        }
    };
};

struct BackupList {
    static constexpr const char* type = "backup.list";
    std::string server;
    std::int64_t limit = 100;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("limit", limit, limit_range);
    }
    struct Reply {
        std::vector<Backup> backups;  // newest first
        template <class Fields>
        void fields(Fields& f) {
            f("backups", backups, Many<Nested>{max_list, {}});
        }
    };
};

struct BackupForget {
    static constexpr const char* type = "backup.forget";
    std::string server;
    std::vector<std::string> sets;  // that this user removed from the store
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("sets", sets, Many<Text>{max_list, set_id_text});
    }
    struct Reply {
        std::int64_t forgotten = 0;  // of those, how many were listed
        template <class Fields>
        void fields(Fields& f) {
            f("forgotten", forgotten, any_size);
        }
    };
};

struct EscrowFetch {
    static constexpr const char* type = "escrow.fetch";
    std::string server;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
    }
    struct Record {
        std::string subkey;
        std::string record;  // base64
        std::string sha256;
        std::int64_t deposited = 0;
        std::vector<std::string> recipients;
        template <class Fields>
        void fields(Fields& f) {
            f("subkey", subkey, fingerprint_text);
            f("record", record, record_text);
            f("sha256", sha256, sha256_text);
            f("deposited", deposited, any_time);
            f("recipients", recipients, Many<Text>{16, fingerprint_text});
        }
    };
    struct Reply {
        std::string identity;
        std::string public_key;
        std::vector<Record> records;  // newest first; only the newest of each subkey; as many as fit
        template <class Fields>
        void fields(Fields& f) {
            f("identity", identity, fingerprint_text);
            f("public_key", public_key, key_text);
            f("records", records, Many<Nested>{100, {}});
        }
    };
};

struct AuditList {
    static constexpr const char* type = "audit.list";
    std::int64_t limit = 100;
    template <class Fields>
    void fields(Fields& f) {
        f("limit", limit, limit_range);
    }
    struct Entry {
        std::int64_t seq = 0;
        std::int64_t time = 0;
        std::string actor;
        std::string action;
        std::string object;
        std::string text;
        template <class Fields>
        void fields(Fields& f) {
            f("seq", seq, any_size);
            f("time", time, any_time);
            f("actor", actor, short_text);
            f("action", action, short_text);
            f("object", object, short_text);
            f("text", text, long_text);
        }
    };
    struct Reply {
        std::vector<Entry> entries;  // newest first
        template <class Fields>
        void fields(Fields& f) {
            f("entries", entries, Many<Nested>{max_list, {}});
        }
    };
};

}  // namespace strongroom::proto
