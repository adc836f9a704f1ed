// The pure part of point in time: which set, along which pieces, and what is said if there is no way.
#include "client/restore/choose_point.hpp"

#include <catch2/catch.hpp>

#include "tests/support/error_of.hpp"

namespace strongroom::client {
namespace {

using backupset::LogPath;
using backupset::Manifest;
using backupset::SetInfo;
using restore::parse_until;
using restore::parse_until_gtid;
using restore::parse_until_position;
using test::error_of;

Manifest set_at(const std::string& finished, const std::string& file, std::int64_t offset,
                const std::string& gtid) {
    Manifest out;
    out.set = "set-" + finished;
    out.kind = "full";
    out.stream = "xbstream";
    out.source_tool = "mariadb-backup";
    out.finished = "2026-11-22T" + finished + ":00Z";
    out.position.binlog_file = file;
    out.position.binlog_position = offset;
    out.position.gtid = gtid;
    return out;
}

Manifest piece_to(const std::string& covered, const std::string& file, std::int64_t last,
                  const std::string& gtid) {
    Manifest out;
    out.log = backupset::LogPart{file, 0, last, {}, "", "2026-11-22T" + covered + ":00Z", gtid, 1};
    return out;
}

// A full set at 01:00, 02:00 and 03:00; the log goes from the first to 02:30, and again from 03:00 on.
struct Store {
    std::vector<SetInfo> sets;
    Store() {
        add(set_at("01:00", "b.000001", 1000, "0-1-10"));
        add(set_at("02:00", "b.000002", 1000, "0-1-20,1-1-5"));
        add(set_at("03:00", "b.000004", 1000, "0-1-40"));
    }
    void add(const Manifest& one) { sets.push_back({one.set, one, "", false, ""}); }

    static LogPath path(const Manifest& base, const restore::TargetPoint& target) {
        std::vector<Manifest> all{piece_to("01:30", "b.000001", 2000, "0-1-15"),
                                  piece_to("02:30", "b.000002", 2000, "0-1-25,1-1-5")};
        if (base.finished > "2026-11-22T02:30:00Z") all = {piece_to("03:30", "b.000004", 2000, "0-1-45")};
        if (base.set == "set-02:00") all.erase(all.begin());
        LogPath out;
        for (const auto& piece : all) {
            out.pieces.push_back(piece);
            if ((out.reached = reaches(*piece.log, target))) break;
        }
        if (!out.reached) out.ends = "of a reason";
        return out;
    }
    Route route(const restore::TargetPoint& target, const std::string& named = {}) const {
        return choose_route(sets, target, named, [&](const Manifest& base) { return path(base, target); });
    }
    Error refusal(const restore::TargetPoint& target, const std::string& named = {}) const {
        return error_of([&] { route(target, named); });
    }
};

TEST_CASE("choosing a route: the newest set before the target, and no piece more than it takes") {
    const Store store;
    CHECK(store.route(parse_until("2026-11-22 01:10:00")).base.set == "set-01:00");
    CHECK(store.route(parse_until("2026-11-22 01:10:00")).pieces.size() == 1);
    CHECK(store.route(parse_until("2026-11-22 01:31:00")).pieces.size() == 2);
    // What a set's second holds is not before that second.
    CHECK(store.route(parse_until("2026-11-22 02:00:00")).base.set == "set-01:00");
    CHECK(store.route(parse_until("2026-11-22 02:00:01")).base.set == "set-02:00");
    CHECK(store.route(parse_until("2026-11-22 02:30:00")).base.set == "set-02:00");
    CHECK(store.route(parse_until("latest")).base.set == "set-03:00");
    CHECK(store.route(parse_until_gtid("0-1-11")).base.set == "set-01:00");
    CHECK(store.route(parse_until_gtid("0-1-21")).base.set == "set-02:00");
    CHECK(store.route(parse_until_gtid("0-1-20")).base.set == "set-02:00");
    CHECK(store.route(parse_until_gtid("0-1-20")).pieces.empty());
    CHECK(store.route(parse_until_position("b.000001:1500")).base.set == "set-01:00");
    CHECK(store.route(parse_until_position("b.000002:1000")).pieces.empty());
    CHECK(store.route(parse_until_position("b.000002:1001")).base.set == "set-02:00");
    CHECK(store.route(parse_until("2026-11-22 02:10:00"), "set-01:00").pieces.size() == 2);
}

TEST_CASE(
    "choosing a route: a target in a gap, before all and beyond all is refused with the nearest points") {
    const Store store;
    Error error = store.refusal(parse_until("2026-11-22 02:40:00"));
    CHECK(error.kind() == ErrorKind::not_found);
    CHECK_THAT(error.text(), Catch::Contains("of a reason"));
    CHECK_THAT(error.hint(),
               Catch::Contains("--until 2026-11-22T02:30:00Z (b.000002:2000, GTID 0-1-25,1-1-5)") &&
                   Catch::Contains("--set set-03:00"));
    error = store.refusal(parse_until("2026-11-22 00:10:00"));
    CHECK_THAT(error.text(), Catch::Contains("no set with a place in the binary log is older"));
    CHECK_THAT(error.hint(), Catch::Contains("The earliest after it: --set set-01:00"));
    error = store.refusal(parse_until("2026-11-22 05:00:00"));
    CHECK_THAT(error.hint(), Catch::Contains("--until 2026-11-22T03:30:00Z") && !Catch::Contains("earliest"));
    CHECK_THAT(store.refusal(parse_until_gtid("0-1-30")).hint(),
               Catch::Contains("GTID 0-1-25") && Catch::Contains("set-03:00"));
    CHECK(store.refusal(parse_until_position("b.000003:100")).kind() == ErrorKind::not_found);
    CHECK(store.refusal(parse_until_position("c.000001:1500")).kind() == ErrorKind::not_found);
    CHECK_THAT(store.refusal(parse_until("2026-11-22 01:10:00"), "set-02:00").text(),
               Catch::Contains("set set-02:00 holds what was written"));
}

TEST_CASE("choosing a route: only sets that can be trusted and take a log count") {
    Store store;
    store.sets[1].manifest.reset();
    CHECK(store.route(parse_until("2026-11-22 02:10:00")).base.set == "set-01:00");
    CHECK(store.refusal(parse_until("2026-11-22 02:10:00"), "set-02:00").kind() == ErrorKind::not_found);
    store.sets[0].manifest->stream = "sql";
    store.sets[0].manifest->source_tool = "mariadb-dump";
    const Error error = store.refusal(parse_until("2026-11-22 02:10:00"), "set-01:00");
    CHECK(error.kind() == ErrorKind::usage);
    CHECK_THAT(error.hint(), Catch::Contains("logs extract"));
    store.sets[2].manifest->position.binlog_file.reset();
    CHECK_THAT(store.refusal(parse_until("latest")).text(), Catch::Contains("no set of this server can"));
    store.sets.clear();
    CHECK_THAT(store.refusal(parse_until("latest")).text(),
               Catch::Contains("no backup set that can be trusted"));
}

}  // namespace
}  // namespace strongroom::client
