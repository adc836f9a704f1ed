#include "agent/daemon/server_watch.hpp"

#include <catch2/catch.hpp>

using namespace strongroom;
using namespace strongroom::agent;

TEST_CASE("news of a server: what decides whether it is fit, and not each second of lag") {
    proto::ServerState state;
    state.role = "replica";
    state.max_lag_s = 60;
    proto::ReplicationSource source;
    source.io = source.sql = "Yes";
    source.behind_s = 0;
    source.gtid = "0-1-5";
    state.sources = {source};
    state.space = {{"data", 10, 100}};
    const auto before = news_of(state);
    const auto changed = [&](auto change) {
        auto other = state;
        change(other);
        return news_of(other) != before;
    };
    CHECK_FALSE(changed([](auto& s) { s.asked = 5; }));
    CHECK_FALSE(changed([](auto& s) { s.sources[0].behind_s = 60; }));
    CHECK_FALSE(changed([](auto& s) { s.sources[0].gtid = "0-1-6"; }));
    CHECK_FALSE(changed([](auto& s) { s.space[0].free = 9; }));
    CHECK(changed([](auto& s) { s.sources[0].behind_s = 61; }));
    CHECK(changed([](auto& s) { s.sources[0].behind_s.reset(); }));
    CHECK(changed([](auto& s) { s.sources[0].io = "Connecting"; }));
    CHECK(changed([](auto& s) { s.role = "both", s.replicas = 1; }));
    CHECK(changed([](auto& s) { s.read_only = true; }));
    CHECK(changed([](auto& s) { s.group = "shop"; }));
    CHECK(changed([](auto& s) { s.backs_up_primary = false; }));
    CHECK(changed([](auto& s) { s.galera = proto::GaleraState{"Synced", "Primary", true, 3}; }));
}
