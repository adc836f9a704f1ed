#include "common/backupset/log_stretches.hpp"

#include <catch2/catch.hpp>

namespace strongroom::backupset {
namespace {

struct Pieces {
    std::map<std::string, Manifest> all;

    void add(const std::string& id, const std::string& parent, const std::string& file, std::int64_t first,
             std::int64_t last) {
        Manifest one;
        one.set = id;
        if (!parent.empty()) one.parent = parent;
        one.log = LogPart{file, first, last, {}, "2026-11-22T01:00:00Z", "", "", 1};
        all.emplace(id, one);
    }
    std::vector<std::string> shown() const {
        std::vector<std::string> out;
        for (const auto& stretch : log_stretches(all)) {
            std::string ids;
            for (const auto* piece : stretch.pieces) ids += piece->set;
            out.push_back(ids);
        }
        return out;
    }
};

TEST_CASE("log stretches: what follows without a gap is one, and the piece that goes on counts") {
    Pieces pieces;
    CHECK(pieces.shown().empty());
    pieces.add("a", "", "b.000001", 0, 100);
    pieces.add("c", "a", "b.000001", 100, 200);
    pieces.add("b", "c", "b.000001", 200, 300);  // of the same second as its parent: in no order
    pieces.add("d", "b", "b.000002", 0, 100);
    pieces.add("e", "b", "b.000002", 0, 150);  // the crash's other one; the log goes on from d
    pieces.add("f", "d", "b.000002", 100, 200);
    pieces.add("g", "", "b.000007", 0, 100);
    CHECK(pieces.shown() == std::vector<std::string>{"acbdf", "g"});
    pieces.all.erase("b");
    CHECK(pieces.shown() == std::vector<std::string>{"ac", "df", "e", "g"});
    CHECK_THAT(log_stretches(pieces.all).at(1).begins, Catch::Contains("log b, before it, is not there"));
    pieces.add("h", "g", "b.000007", 90, 200);
    CHECK(pieces.shown().back() == "h");
    CHECK_THAT(log_stretches(pieces.all).back().begins, Catch::Contains("does not lead to it"));
}

TEST_CASE("log stretches: a set whose place lies in one") {
    Pieces pieces;
    pieces.add("a", "", "b.000001", 0, 100);
    pieces.add("b", "a", "b.000001", 100, 200);
    const auto stretch = log_stretches(pieces.all).at(0);
    Manifest set;
    set.finished = "2026-11-22T02:00:00Z";
    CHECK_FALSE(holds(stretch, set));  // without a binary log
    set.position.binlog_file = "b.000001";
    set.position.binlog_position = 150;
    CHECK(holds(stretch, set));
    set.position.binlog_position = 200;
    CHECK(holds(stretch, set));
    set.position.binlog_position = 201;
    CHECK_FALSE(holds(stretch, set));
    set.position.binlog_position = 150;
    set.finished = "2026-11-22T00:00:00Z";  // before the server began this file
    CHECK_FALSE(holds(stretch, set));
}

}  // namespace
}  // namespace strongroom::backupset
