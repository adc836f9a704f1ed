// tests/data/binlog.000001 was written by MariaDB 10.11.19 (binlog_format ROW and MIXED, log_bin_compress):
// DDL, transactions of InnoDB and MyISAM, two GTID domains, XA, CREATE TABLE ... SELECT, savepoints, a
// statement, a compressed statement, FLUSH. The offsets below are mariadb-binlog's.
#include "common/binlog/scanner.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "tests/support/error_of.hpp"

namespace strongroom::binlog {
namespace {

using test::error_of;

Bytes sample() {
    return read_file(STRONGROOM_SOURCE_DIR "/tests/data/binlog.000001", 1U << 20U);
}

const std::vector<std::int64_t> group_ends{460,  583,  762,  914,  1123, 1468, 1706, 1915,
                                           2214, 2341, 2729, 2967, 3330, 3571, 3750};
const std::vector<std::string> gtids{"0-7-1", "0-7-2", "0-7-3", "0-7-4", "0-7-5", "0-7-6", "0-7-7", "5-7-1",
                                     "5-7-2", "5-7-3", "5-7-4", "5-7-5", "5-7-6", "5-7-7", "5-7-8"};

TEST_CASE("binary log: every transaction of a real file, however its bytes come") {
    const Bytes log = sample();
    for (const std::size_t piece : {std::size_t{1}, std::size_t{19}, std::size_t{777}, log.size()}) {
        Scanner scanner;
        std::vector<std::int64_t> ends;
        std::vector<std::string> names;
        std::int64_t begins = 320;  // behind the file's own events
        for (BytesView left = log; !left.empty(); left.remove_prefix(std::min(piece, left.size())))
            scanner.add(left.substr(0, piece), [&](const Group& group) {
                CHECK(group.begin == begins);
                CHECK(format_utc(group.time) == "2026-11-22T23:30:35Z");
                begins = group.end;
                ends.push_back(group.end);
                names.push_back(group.gtid);
            });
        CHECK(ends == group_ends);
        CHECK(names == gtids);
        CHECK(text_of(scanner.gtids()) == "0-7-7,5-7-8");
        CHECK(scanner.read() == 3789);
        CHECK(scanner.whole() == 3789);
        CHECK(scanner.closed());
        CHECK(scanner.next_file() == "b.000002");
        CHECK_FALSE(scanner.lost_events());
        CHECK(format_utc(*scanner.first()) == "2026-11-22T23:30:35Z");
    }
}

TEST_CASE("binary log: what is whole never ends within a transaction") {
    const Bytes log = sample();
    std::vector<std::int64_t> may{0, 4, 256, 285, 320, 3789};
    may.insert(may.end(), group_ends.begin(), group_ends.end());
    for (std::size_t size = 0; size <= log.size(); ++size) {
        Scanner scanner;
        scanner.add(BytesView(log).substr(0, size));
        const auto best = *std::ranges::max_element(
            may, {}, [&](auto end) { return end <= static_cast<std::int64_t>(size) ? end : -1; });
        REQUIRE(scanner.whole() == best);
        REQUIRE(scanner.read() == static_cast<std::int64_t>(size));
    }
}

TEST_CASE("binary log: what is none is refused with the place") {
    const auto refused = [](Bytes log) {
        Scanner scanner;
        const Error error = error_of([&] { scanner.add(log); });
        CHECK(error.kind() == ErrorKind::corrupt);
        CHECK(error_of([&] { scanner.add("x"); }).kind() == ErrorKind::corrupt);  // and stays so
        return error.text();
    };
    CHECK(refused("SQL, not a log") ==
          "the binary log cannot be read at byte 0: the file does not begin like one");
    Bytes log = sample();
    log[914 + 9] = '\x01';  // the size of an event
    CHECK(refused(log) == "the binary log cannot be read at byte 914: an event of 1 bytes");
    log = sample();
    log[914 + 9] = '\x2b';
    CHECK(refused(log) ==
          "the binary log cannot be read at byte 914: an event that ends elsewhere than it says");
    log = sample();
    log.erase(914, 42);  // a GTID event
    CHECK(refused(log) ==
          "the binary log cannot be read at byte 914: an event that ends elsewhere than it says");
    log = sample();
    log.erase(4, 252);  // the format
    CHECK_THAT(refused(log), Catch::Contains("at byte 4"));
    CHECK_THAT(refused(sample() + sample()), Catch::Contains("something follows the event that ends it"));
}

TEST_CASE("binary log: GTIDs as text") {
    CHECK(parse_gtid("0-1-42") == Gtid{0, 1, 42});
    CHECK(parse_gtid("4294967295-4294967295-18446744073709551615").text() ==
          "4294967295-4294967295-18446744073709551615");
    for (const char* bad : {"", "0-1", "0-1-", "0-1-42-", "0-1-42,1-1-1", " 0-1-42", "-1-1-1", "0-1-4x",
                            "4294967296-1-1", "3e11fa47-71ca-11e1-9e33-c80aa9429562:23"})
        CHECK(error_of([&] { parse_gtid(bad); }).kind() == ErrorKind::usage);
    CHECK(text_of(parse_gtid_state("1-1-7,0-1-42")) == "0-1-42,1-1-7");
    CHECK(parse_gtid_state("").empty());
    CHECK(error_of([] { parse_gtid_state("0-1-42,"); }).kind() == ErrorKind::usage);
}

}  // namespace
}  // namespace strongroom::binlog
