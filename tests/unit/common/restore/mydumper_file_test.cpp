#include "common/restore/mydumper_file.hpp"

#include <catch2/catch.hpp>

using namespace strongroom::restore;
using Part = MydumperFile::Part;

TEST_CASE("the files of mydumper are told by their names") {
    const auto is = [](const char* name, Part part, const char* database, const char* table) {
        INFO(name);
        const auto file = read_mydumper_name(name);
        REQUIRE(file);
        CHECK(file->part == part);
        CHECK(file->name.database == database);
        CHECK(file->name.table == table);
    };
    is("metadata", Part::metadata, "", "");
    is("shop-schema-create.sql", Part::database, "shop", "");
    is("shop-schema-post.sql", Part::routines, "shop", "");
    is("shop.orders-schema.sql", Part::structure, "shop", "orders");
    is("shop.orders.sql", Part::rows, "shop", "orders");
    is("shop.orders.00002.sql", Part::rows, "shop", "orders");
    is("shop.orders.123456.sql", Part::rows, "shop", "orders");
    is("shop.orders-schema-triggers.sql", Part::triggers, "shop", "orders");
    is("shop.names-schema-view.sql", Part::view, "shop", "names");
    is("märz.tähle 日本.00001.sql", Part::rows, "märz", "tähle 日本");
    // Names that look like a part of a name.
    is("shop.00002.sql", Part::rows, "shop", "00002");
    is("shop.00002.00003.sql", Part::rows, "shop", "00002");
    is("00001.00002.sql", Part::rows, "00001", "00002");
    is("shop.metadata.sql", Part::rows, "shop", "metadata");
    is("shop.sql.sql", Part::rows, "shop", "sql");
    is("a-b.c-d-schema.sql", Part::structure, "a-b", "c-d");
    is("shop.t-post.sql", Part::rows, "shop", "t-post");
    is("shop.-x; `y`.sql", Part::rows, "shop", "-x; `y`");
}

TEST_CASE("what mydumper does not write is no file of it") {
    for (const char* name : {"",
                             ".",
                             "..",
                             ".sql",
                             "metadata.sql",
                             "metadata.partial",
                             "shop.sql",
                             "shop.orders",
                             "shop.orders.sql.gz",
                             "shop..sql",
                             ".orders.sql",
                             ".sql.sql.",
                             "-schema-create.sql",
                             "-schema-post.sql",
                             "shop.-schema.sql",
                             ".orders-schema.sql",
                             "shop-schema.sql",
                             "shop-schema-view.sql",
                             "shop.a.b.sql",
                             "shop.a.1.sql",
                             "shop.a.00001.00002.sql",
                             "my.shop-schema-create.sql",
                             "shop.a-schema-schema.sql",
                             "../shop.a.sql",
                             "shop.a/b.sql",
                             "/etc/passwd",
                             "x/metadata"}) {
        INFO(name);
        CHECK_FALSE(read_mydumper_name(name));
    }
}

TEST_CASE("a table whose name could be read as another's, or breaks mydumper, has no files of its own") {
    CHECK(has_files_of_its_own({"shop", "orders"}));
    CHECK(has_files_of_its_own({"shop", ""}));
    CHECK(has_files_of_its_own({"shop", "00002"}));
    CHECK(has_files_of_its_own({"shop", "a-b c"}));
    CHECK_FALSE(has_files_of_its_own({"my.shop", "orders"}));
    CHECK_FALSE(has_files_of_its_own({"shop", "t.00002"}));
    CHECK_FALSE(has_files_of_its_own({"shop", "t-schema"}));
    CHECK_FALSE(has_files_of_its_own({"shop", "t-schema-view"}));
    CHECK_FALSE(has_files_of_its_own({"a-schema-post", "t"}));
    CHECK_FALSE(has_files_of_its_own({"shop", "a/b"}));
    CHECK(has_files_of_its_own({"shop", "we ird; \""}));
    for (const char* name : {"it's", "a`b", "a\\b"}) {
        CHECK_FALSE(has_files_of_its_own({"shop", name}));
        CHECK_FALSE(has_files_of_its_own({name, ""}));
    }
}
