// What an agent says of its database server, and what follows from it for a group of servers that replicate
// from each other (PROTOCOL.md section 4, docs/replicas.md). All text in it is foreign.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/json_fields.hpp"

namespace strongroom::proto {

// A name of 1 to 64 letters, digits, '.', '_' and '-', the first a letter or digit.
bool is_group_name(std::string_view text);
bool is_replication_role(std::string_view text);
extern const Text group_text;
extern const Text replication_role_text;

// Of a group's schedule, instead of a time: the primary is never backed up for the group.
inline constexpr std::int64_t never_the_primary = -1;

// One server that this one replicates from.
struct ReplicationSource {
    std::string name;                       // of the connection or channel; empty: the default one
    std::string io;                         // of the thread that fetches: Yes, No, Connecting, ...
    std::string sql;                        // of the thread that applies: Yes, No
    std::optional<std::int64_t> behind_s;   // none: the server does not know it
    std::optional<std::string> error;       // the last one, of either thread
    std::optional<std::int64_t> server_id;  // of the source
    std::optional<std::string> server_uuid;
    std::optional<std::string> gtid;  // MariaDB: the position, which names the domains; MySQL: none
    template <class Fields>
    void fields(Fields& f) {
        f("name", name, Text{80});
        f("io", io, Text{40});
        f("sql", sql, Text{40});
        f("behind_s", behind_s, any_size);
        f("error", error, Text{400});
        f("server_id", server_id, any_size);
        f("server_uuid", server_uuid, Text{64});
        f("gtid", gtid, Text{200});
    }
};

struct GaleraState {
    std::string node;     // wsrep_local_state_comment: Synced, Donor/Desynced, ...
    std::string cluster;  // wsrep_cluster_status: Primary, non-Primary, Disconnected
    bool ready = false;
    std::int64_t size = 0;
    template <class Fields>
    void fields(Fields& f) {
        f("node", node, Text{60});
        f("cluster", cluster, Text{60});
        f("ready", ready);
        f("size", size, any_size);
    }
};

struct FreeSpace {
    std::string of;  // "data", "state", "store"
    std::int64_t free = 0;
    std::int64_t total = 0;  // bytes
    template <class Fields>
    void fields(Fields& f) {
        f("of", of, Text{20});
        f("free", free, any_size);
        f("total", total, any_size);
    }
};

// How far the server's binary log is in the store, where its host streams it (docs/point-in-time.md).
struct LogCoverage {
    std::int64_t since = 0;    // by the server's clock: any moment from here on,
    std::int64_t covered = 0;  // up to here, can be restored to, where a backup lies before it; 0: none yet
    std::string file;
    std::int64_t offset = 0;             // bytes of it that are stored
    std::optional<std::string> gtid;     // behind the last transaction
    std::optional<std::string> problem;  // why nothing is being stored now
    std::optional<std::int64_t> gap;     // when the chain of logs last broke, and
    std::optional<std::string> gap_why;
    template <class Fields>
    void fields(Fields& f) {
        f("since", since, any_time);
        f("covered", covered, any_time);
        f("file", file, Text{200});
        f("offset", offset, any_size);
        f("gtid", gtid, Text{400});
        f("problem", problem, Text{400});
        f("gap", gap, any_time);
        f("gap_why", gap_why, Text{400});
    }
};

struct ServerState {
    std::int64_t asked = 0;              // when, by the host's clock
    std::optional<std::string> group;    // as the host's own configuration says
    std::int64_t max_lag_s = 60;         // more, and the host makes no backup for its group
    bool backs_up_primary = true;        // the host lets its group back it up while it is the primary
    std::string role;                    // primary, replica, both, none, unknown
    std::optional<std::string> problem;  // why the role is not known
    std::optional<std::string> version;  // of the database server
    std::optional<std::int64_t> server_id;
    std::optional<std::string> server_uuid;  // MySQL
    bool read_only = false;
    std::int64_t replicas = 0;  // connected ones
    std::vector<ReplicationSource> sources;
    std::optional<GaleraState> galera;
    std::optional<std::string> binlog;      // "off", or its format ("ROW", "ROW, sync_binlog 0")
    std::optional<std::string> encryption;  // of data files by the server itself: by what
    std::vector<std::string> engines;       // without transactions, with the number of their tables
    std::vector<FreeSpace> space;
    std::optional<LogCoverage> logs{};  // none: its host does not stream them
    std::vector<std::string> windows;   // in which the host lets backups run, its local time: 01:00-05:00
    template <class Fields>
    void fields(Fields& f) {
        f("asked", asked, any_time);
        f("group", group, group_text);
        f("max_lag_s", max_lag_s, Range{0, 31'536'000});
        f("backs_up_primary", backs_up_primary);
        f("role", role, replication_role_text);
        f("problem", problem, Text{400});
        f("version", version, Text{120});
        f("server_id", server_id, any_size);
        f("server_uuid", server_uuid, Text{64});
        f("read_only", read_only);
        f("replicas", replicas, Range{0, 100'000});
        f("sources", sources, Many<Nested>{16, {}});
        f("galera", galera);
        f("binlog", binlog, Text{40});
        f("encryption", encryption, Text{200});
        f("engines", engines, Many<Text>{16, Text{80}});
        f("space", space, Many<Nested>{8, {}});
        f("logs", logs);
        f("windows", windows, Many<Text>{16, Text{11}});
    }
};

// What a server may do for its group, by its own words.
enum class Standing {
    replica,  // it replicates and keeps up, or is a synced node of a Galera cluster
    primary,  // it replicates from nobody: for want of a replica
    unfit     // a backup of it would be old, or is not wanted
};
struct Fitness {
    Standing standing = Standing::unfit;
    std::string reason;  // one line, for people; may hold foreign text
};
Fitness fitness_for_group(const ServerState& state);

// A line for people: "replica, 0 s behind server 1".
std::string shown_replication(const ServerState& state);

}  // namespace strongroom::proto
