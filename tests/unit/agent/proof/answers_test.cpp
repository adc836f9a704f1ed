// What the database's client says is read strictly: anything but the known good answer is a failure.
#include <catch2/catch.hpp>

#include "agent/proof/comparison.hpp"
#include "agent/proof/table_check.hpp"
#include "common/base/sql_name.hpp"
#include "common/restore/private_server.hpp"
#include "tests/support/error_of.hpp"

namespace strongroom::agent {
namespace {

using restore::layout_options;
using restore::parse_rows;
using restore::SqlRow;
using test::error_of;

const std::vector<Table> two{{"shop", "orders", "InnoDB"}, {"shop", "cache", "MEMORY"}};
const SqlRow first{"strongroom-table", "0"};
const SqlRow second{"strongroom-table", "1"};
const SqlRow fine{"shop.orders", "check", "status", "OK"};
const SqlRow without_check{"shop.cache", "check", "note",
                           "The storage engine for the table doesn't support check"};

TableCheck checked(const std::vector<SqlRow>& rows) {
    TableCheck out;
    read_check(two, rows, out);
    return out;
}

}  // namespace

TEST_CASE("rows of the client: tabs, newlines and escapes, and nothing cut") {
    CHECK(parse_rows("").empty());
    CHECK(parse_rows("a\tb\n\n") == std::vector<SqlRow>{{"a", "b"}, {""}});
    CHECK(parse_rows("a\\tb\\nc\\\\d\n") == std::vector<SqlRow>{{"a\tb\nc\\d"}});
    for (const char* broken : {"a\tb", "a\t", "a\\", "a\\x\n"})
        CHECK(error_of([&] { parse_rows(broken); }).kind() == ErrorKind::protocol);
    CHECK(quoted_name("we`ird", "a.b") == "`we``ird`.`a.b`");
}

TEST_CASE("CHECK TABLE: only OK counts, for each table, in order") {
    const auto good = checked({first, fine, second, without_check});
    CHECK(good.checked == 1);
    CHECK(good.not_checkable == 1);
    CHECK(good.bad == 0);
    // MyISAM says so of a table that was open when it was copied, and then reads it.
    CHECK(
        checked({first,
                 {"shop.orders", "check", "warning", "1 client is using or hasn't closed the table properly"},
                 fine,
                 second,
                 without_check})
            .checked == 1);

    for (const auto& said : std::vector<std::vector<SqlRow>>{
             {{"shop.orders", "check", "status", "Operation failed"}},
             {{"shop.orders", "check", "error", "Corrupt"}},
             {{"shop.orders", "check", "Error", "Table 'shop.orders' doesn't exist"}, fine},
             {{"shop.orders", "check", "warning", "Size of indexfile is: 4 Should be: 8"}, fine},
             {fine, {"shop.orders", "check", "error", "Corrupt"}},
             {{"shop.orders", "check", "note", "Something that nobody knows"}},
             {{"shop.orders", "check", "note", "OK"}},
             {{"shop.orders", "check", "status", "Table is already up to date"}}}) {
        std::vector<SqlRow> rows{first};
        rows.insert(rows.end(), said.begin(), said.end());
        rows.insert(rows.end(), {second, without_check});
        const auto out = checked(rows);
        INFO(said.front()[3]);
        CHECK(out.bad == 1);
        CHECK(out.checked == 0);
        REQUIRE(out.problems.size() == 1);
        CHECK(out.problems.front().starts_with("table shop.orders: "));
    }
}

TEST_CASE("CHECK TABLE: answers that are missing, doubled, or of another table are refused") {
    for (const auto& rows :
         std::vector<std::vector<SqlRow>>{{},
                                          {first, fine},
                                          {first, second, without_check},
                                          {first, fine, second},
                                          {second, without_check, first, fine},
                                          {first, fine, first, fine, second, without_check},
                                          {fine, first, second, without_check},
                                          {first, without_check, second, fine},
                                          {first, fine, {"x"}, second, without_check},
                                          {first, {"shop.orders", "repair", "status", "OK"}}})
        CHECK(error_of([&] { checked(rows); }).kind() == ErrorKind::source);
    const std::string sql = check_statements({{"a`b", "c", ""}});
    CHECK(sql == "SELECT 'strongroom-table', 0; CHECK TABLE `a``b`.`c`;\n");
}

TEST_CASE("figures: a table that is missing, or has other rows or contents, is a difference") {
    const TableFigure orders{"shop", "orders", 2, "77"};
    const TableFigure cache{"shop", "cache", {}, {}};
    auto out = compare({orders, cache}, {orders, cache});
    CHECK(out.equal == 1);
    CHECK(out.not_comparable == 1);
    CHECK(out.different == 0);
    CHECK(compare({orders}, {}).differences == std::vector<std::string>{"table shop.orders is missing"});
    CHECK(compare({cache}, {}).different == 1);
    CHECK(compare({orders}, {{"shop", "orders", 3, "77"}}).differences ==
          std::vector<std::string>{"table shop.orders has 3 rows, at the source it had 2"});
    CHECK(compare({orders}, {{"shop", "orders", 2, "78"}}).different == 1);
    CHECK(compare({orders}, {{"shop", "orders", {}, {}}}).different == 1);
    CHECK(compare({orders}, {{"shop", "Orders", 2, "77"}}).different == 1);
    std::vector<TableFigure> many;
    for (int i = 0; i < 100; ++i) many.push_back({"shop", "t" + std::to_string(i), 1, "1"});
    out = compare(many, {});
    CHECK(out.different == 100);
    CHECK(out.differences.size() == max_problems);
}

TEST_CASE("names of InnoDB's dictionary") {
    CHECK(dictionary_table("shop/orders") == "shop.orders");
    CHECK(dictionary_table("shop/orders#P#p0") == "shop.orders");
    CHECK(dictionary_table("shop/orders#p#p0#sp#s0") == "shop.orders");
    for (const char* internal : {"SYS_FOREIGN", "shop/#sql-ib12", "shop/od@0060d", "shop/FTS_0001_CONFIG"})
        CHECK(dictionary_table(internal).empty());
}

TEST_CASE("of the backup tool's option file only the layout of the files is taken, and harmless words") {
    CHECK(layout_options("[mysqld]\ninnodb_page_size=8192\ninnodb_data_file_path=ibdata1:12M:autoextend\n"
                         "innodb_log_file_size=999999999999\ninit_file=/etc/passwd\nplugin_load_add=evil\n"
                         "innodb_undo_tablespaces=\ninnodb_checksum_algorithm=crc32 --init-file=x\n") ==
          std::vector<std::string>{"--innodb_page_size=8192",
                                   "--innodb_data_file_path=ibdata1:12M:autoextend"});
    CHECK(
        layout_options("innodb_data_file_path=../../etc/x:12M\ninnodb_data_file_path=/dev/sda:1M\n").empty());
}

}  // namespace strongroom::agent
