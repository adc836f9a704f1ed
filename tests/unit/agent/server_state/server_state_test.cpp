// What the server's answers become, and what follows from them for a group.
#include "agent/server_state/server_state.hpp"

#include <catch2/catch.hpp>

using namespace strongroom;
using namespace strongroom::agent;
using proto::ServerState;
using proto::Standing;

namespace {

const std::string mariadb_header =
    "Connection_name\tSlave_SQL_State\tSlave_IO_Running\tSlave_SQL_Running\tLast_IO_Error\tLast_SQL_Error\t"
    "Seconds_Behind_Master\tMaster_Server_Id\tGtid_IO_Pos\n";

ServerState replica() {
    ServerState out;
    out.role = "replica";
    out.sources = {{.name = {},
                    .io = "Yes",
                    .sql = "Yes",
                    .behind_s = 0,
                    .error = {},
                    .server_id = 1,
                    .server_uuid = {},
                    .gtid = {}}};
    return out;
}

}  // namespace

TEST_CASE("rows of SHOW ALL SLAVES STATUS become sources, foreign text made harmless") {
    CHECK(replication_sources("").empty());
    CHECK(replication_sources(mariadb_header).empty());
    const auto sources = replication_sources(
        mariadb_header + "\tidle\tYes\tYes\t\t\t7\t11\t0-11-42,1-11-3\n" +
        "east\t\tConnecting\tNo\terror connecting \x1b[31m\tDuplicate entry\tNULL\t12\t\n");
    REQUIRE(sources.size() == 2);
    CHECK(sources[0].name.empty());
    CHECK(sources[0].behind_s == 7);
    CHECK(sources[0].server_id == 11);
    CHECK(sources[0].gtid == "0-11-42,1-11-3");
    CHECK_FALSE(sources[0].error);
    CHECK(sources[1].name == "east");
    CHECK(sources[1].io == "Connecting");
    CHECK_FALSE(sources[1].behind_s);  // NULL is not 0
    CHECK(sources[1].error == "Duplicate entry");
    // MySQL's names, and a number that is none
    const auto mysql = replication_sources(
        "Replica_IO_Running\tReplica_SQL_Running\tSeconds_Behind_Source\tSource_Server_Id\tSource_UUID\n"
        "Yes\tYes\t-1\t3\tab-cd\n");
    REQUIRE(mysql.size() == 1);
    CHECK_FALSE(mysql[0].behind_s);
    CHECK(mysql[0].server_uuid == "ab-cd");
    ServerState state = replica();
    state.sources = sources;
    CHECK_NOTHROW(to_json(state));  // within every limit
    state.sources[0].error = "x";
}

TEST_CASE("settings and status of a server, of a Galera node, and of one that says next to nothing") {
    ServerState state;
    take_settings(state,
                  "version\t10.11.19-MariaDB\nserver_id\t7\nread_only\tON\nlog_bin\tON\n"
                  "binlog_format\tROW\nsync_binlog\t0\nSlaves_connected\t2\nwsrep_on\tOFF\n"
                  "wsrep_cluster_status\tDisconnected\ninnodb_encrypt_tables\tOFF\nengine\tMyISAM 3\n");
    CHECK(state.version == "10.11.19-MariaDB");
    CHECK(state.server_id == 7);
    CHECK(state.read_only);
    CHECK(state.replicas == 2);
    CHECK(state.binlog == "ROW, sync_binlog 0");
    CHECK_FALSE(state.galera);
    CHECK_FALSE(state.encryption);
    CHECK(state.engines == std::vector<std::string>{"MyISAM 3"});
    CHECK(replication_role(state) == "primary");
    state = {};
    take_settings(state,
                  "wsrep_on\tON\nwsrep_local_state_comment\tSynced\nwsrep_cluster_status\tPrimary\n"
                  "wsrep_ready\tON\nwsrep_cluster_size\t3\nkey_plugin\tfile_key_management\n");
    REQUIRE(state.galera);
    CHECK(state.galera->size == 3);
    CHECK(state.encryption == "file_key_management");
    state = {};
    take_settings(state, "");
    CHECK(state.binlog == "off");
}

TEST_CASE("who is fit to be backed up for a group: one table") {
    struct Case {
        const char* what;
        void (*change)(ServerState&);
        Standing standing;
        const char* says;
    };
    const Case cases[] = {
        {"a replica that keeps up", [](ServerState&) {}, Standing::replica, "0 s behind server 1"},
        {"at the limit", [](ServerState& s) { s.sources[0].behind_s = 60; }, Standing::replica, "60 s"},
        {"over it", [](ServerState& s) { s.sources[0].behind_s = 61; }, Standing::unfit, "more than 60 s"},
        {"a limit of its own", [](ServerState& s) { s.sources[0].behind_s = 61, s.max_lag_s = 3600; },
         Standing::replica, "61 s"},
        {"lag not known", [](ServerState& s) { s.sources[0].behind_s.reset(); }, Standing::unfit,
         "not known"},
        {"not connected", [](ServerState& s) { s.sources[0].io = "Connecting"; }, Standing::unfit,
         "Connecting"},
        {"stopped, with its error",
         [](ServerState& s) { s.sources[0].sql = "No", s.sources[0].error = "Duplicate entry"; },
         Standing::unfit, "Duplicate entry"},
        {"one of two sources stands still",
         [](ServerState& s) {
             s.sources.push_back(s.sources[0]);
             s.sources[1].io = "No";
         },
         Standing::unfit, "does not hear"},
        {"a replica with replicas of its own", [](ServerState& s) { s.role = "both", s.replicas = 1; },
         Standing::replica, "replica and primary"},
        {"the primary", [](ServerState& s) { s.role = "primary", s.sources.clear(), s.replicas = 1; },
         Standing::primary, "1 replica"},
        {"the primary, whose host forbids it",
         [](ServerState& s) {
             s.role = "primary", s.sources.clear(), s.replicas = 1, s.backs_up_primary = false;
         },
         Standing::unfit, "makes no backup of it"},
        {"nobody's replica, and writable", [](ServerState& s) { s.role = "none", s.sources.clear(); },
         Standing::primary, "nobody"},
        {"nobody's replica, and read-only",
         [](ServerState& s) { s.role = "none", s.sources.clear(), s.read_only = true; }, Standing::unfit,
         "cut off"},
        {"not allowed to see it",
         [](ServerState& s) {
             s.role = "unknown", s.sources.clear(), s.problem = "GRANT SLAVE MONITOR ON *.*";
         },
         Standing::unfit, "SLAVE MONITOR"},
        {"a Galera node",
         [](ServerState& s) {
             s.role = "none", s.sources.clear(), s.galera = {"Synced", "Primary", true, 3};
         },
         Standing::replica, "Synced"},
        {"a donor",
         [](ServerState& s) {
             s.galera = {"Donor/Desynced", "Primary", true, 3};
         },
         Standing::unfit, "Donor"},
        {"without a quorum",
         [](ServerState& s) {
             s.galera = {"Initialized", "non-Primary", false, 1};
         },
         Standing::unfit, "non-Primary"},
        {"a Galera node that is a replica, too, and behind",
         [](ServerState& s) {
             s.galera = {"Synced", "Primary", true, 3};
             s.sources[0].behind_s = 900;
         },
         Standing::unfit, "900 s"},
    };
    for (const auto& one : cases) {
        INFO(one.what);
        ServerState state = replica();
        one.change(state);
        const auto fitness = fitness_for_group(state);
        CHECK(fitness.standing == one.standing);
        CAPTURE(fitness.reason);
        CHECK(fitness.reason.find(one.says) != std::string::npos);
    }
}

TEST_CASE("names of groups") {
    for (const char* good : {"shop", "shop-eu.1", "0"}) CHECK(proto::is_group_name(good));
    for (const std::string bad : {"", "-x", "a b", "a/b", "a\n", "ä"}) CHECK_FALSE(proto::is_group_name(bad));
    CHECK_FALSE(proto::is_group_name(std::string(65, 'a')));
}
