// A real mydumper's set: as SQL into another server, whole and in parts, and as files for its own loader.
#include "tests/support/mydumper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "client/restore/into_server.hpp"
#include "client/restore/mydumper_folder.hpp"
#include "common/backupset/layout.hpp"
#include "common/base/error.hpp"
#include "common/base/json_fields.hpp"
#include "common/base/subprocess.hpp"
#include "common/base/unique_fd.hpp"
#include "common/tar/tar_writer.hpp"
#include "tests/integration/client/restore/dumped_server.hpp"
#include "tests/support/streams.hpp"

using namespace strongroom;
using namespace strongroom::test;
using Catch::Matchers::Contains;
using restore::Selection;

namespace {

struct Dumped : DumpedServer {
    std::size_t load(const Selection& wanted, const client::IntoServer& into) {
        const client::MydumperFolder files(from, manifest, wanted, folder());
        return client::restore_into_server(from, files.feed(), wanted, into).size();
    }
};

void require_loaded_by_myloader(const MariadbServer& server, const std::filesystem::path& option_file,
                                const std::filesystem::path& folder) {
    const auto result = run_program(
        {.argv = {"myloader", "--defaults-file=" + option_file.string(), "--directory=" + folder.string()},
         .fds = {},
         .environment = {},
         .directory = {}});
    INFO(result.err);
    REQUIRE(result.status.ok());
    CHECK(server.run_sql("SELECT COUNT(*) FROM shop.orders") == "2\n");
}

}  // namespace

TEST_CASE_METHOD(Dumped, "a set of mydumper goes into another server as SQL, whole and in parts") {
    const MariadbServer other;
    const auto root = other.option_file("all", "ALL ON *.*");
    const auto ask = [&](const std::string& sql) { return other.run_sql("SET NAMES utf8mb4; " + sql); };
    const auto original = state_of(source);
    CHECK(load({}, {root}) == 11);
    CHECK(state_of(other) == original);
    CHECK(refusal_of([&] { load({}, {root}); }).kind == "exists");
    CHECK(load({}, {root, true}) == 11);
    CHECK(state_of(other) == original);
    CHECK(names() == before);

    // Parts: one table, a database under another name, a view and a sequence.
    ask("CREATE DATABASE copy");
    const auto one = text_of({{}, {{"shop", "orders"}}});
    CHECK_THAT(one, !Contains("USE ") && !Contains("many") && !Contains("PROCEDURE") && !Contains("crm"));
    other.run_sql(one, "copy");
    const std::string rows = "SELECT GROUP_CONCAT(id, name, HEX(IFNULL(picture, '')), at ORDER BY id) FROM ";
    CHECK(ask(rows + "copy.orders") == ask(rows + "shop.orders"));
    CHECK(ask("SELECT MIN(id) FROM copy.orders") == "0\n");
    CHECK(ask("SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = 'copy'") == "2\n");
    CHECK(load({{}, {{"shop", "tähle 日本"}, {"shop", "names"}, {"shop", "numbers"}}},
               {root, false, "copy"}) == 3);
    CHECK(ask("SELECT GROUP_CONCAT(IFNULL(spälte, '-') ORDER BY 1) FROM copy.`tähle 日本`") == "-,ü\n");
    CHECK(ask("SELECT x FROM copy.names LIMIT 1") == "ü;\n");
    CHECK(ask("SELECT * FROM copy.numbers") == ask("SELECT * FROM shop.numbers"));
    CHECK(load({{"shop"}, {}}, {root, false, "shop`2"}) == 10);
    CHECK(ask("SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = 'shop`2'") == "2\n");
    CHECK(ask("SELECT COUNT(*) FROM information_schema.events WHERE event_schema = 'shop`2'") == "1\n");
    CHECK(ask("CHECKSUM TABLE `shop``2`.many EXTENDED").substr(12) ==
          ask("CHECKSUM TABLE shop.many EXTENDED").substr(10));
    ask("DROP DATABASE crm");
    CHECK(load({{"crm"}, {}}, {root}) == 1);
    CHECK(ask("SELECT i FROM crm.orders") == "9\n");

    const auto missing = refusal_of([&] { text_of({{}, {{"shop", "order"}}}); });
    CHECK(missing.kind == "not_found");
    CHECK_THAT(missing.hint, Contains("the nearest: shop.orders"));
    CHECK(refusal_of([&] { text_of({{"shops"}, {}}); }).kind == "not_found");
    CHECK(refusal_of([&] { load({{}, {{"shop", "x"}}}, {root}); }).kind == "not_found");
    CHECK(refusal_of([&] { client::feed_of_dump(from, manifest); }).kind == "usage");
    CHECK(names() == before);
}

TEST_CASE_METHOD(Dumped,
                 "the files of a set of mydumper come out for its own loader, all or those of a part") {
    const auto target = folder() / "files";
    const auto original = state_of(source);
    const auto root = source.option_file("all", "ALL ON *.*");
    CHECK(client::write_mydumper_folder(from, manifest, {}, target).tables.size() == 11);
    auto after = before;
    after.insert("files");
    CHECK(names() == after);
    CHECK((std::filesystem::status(target).permissions() & std::filesystem::perms(077)) ==
          std::filesystem::perms::none);
    source.run_sql("DROP DATABASE shop; DROP DATABASE crm");
    require_loaded_by_myloader(source, root, target);
    CHECK(state_of(source) == original);

    // It is not written over; a part holds nothing of the rest.
    CHECK(refusal_of([&] { client::write_mydumper_folder(from, manifest, {}, target); }).kind == "exists");
    CHECK(names() == after);
    std::filesystem::remove_all(target);
    const auto part = client::write_mydumper_folder(from, manifest, {{}, {{"shop", "orders"}}}, target);
    CHECK(part.tables == std::vector<restore::TableName>{{"shop", "orders"}});
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(target))
        files.insert(entry.path().filename());
    CHECK(files == std::set<std::string>{"metadata", "shop-schema-create.sql", "shop.orders-schema.sql",
                                         "shop.orders-schema-triggers.sql", "shop.orders.sql"});
    source.run_sql("DROP DATABASE shop; DROP DATABASE crm");
    require_loaded_by_myloader(source, root, target);
    CHECK(source.run_sql("SHOW TABLES FROM shop") == "orders\n");

    std::filesystem::remove_all(target);
    CHECK(refusal_of([&] {
              client::write_mydumper_folder(from, manifest, {{}, {{"shop", "Orders"}}}, target);
          }).kind == "not_found");
    CHECK(names() == before);
}

TEST_CASE_METHOD(Dumped, "a set of mydumper that is damaged, not whole or not of its making leaves nothing") {
    const auto target = folder() / "files";
    const auto both_refuse = [&](const std::string& kind, const std::string& text) {
        for (const auto& refused :
             {refusal_of([&] {
                  text_of({{}, {{"shop", "orders"}}});
              }),
              refusal_of([&] { client::write_mydumper_folder(from, manifest, {}, target); })}) {
            CHECK(refused.kind == kind);
            CHECK_THAT(refused.text, Contains(text));
        }
        CHECK(names() == before);
    };
    const auto use = [&](const std::vector<std::pair<std::string, std::string>>& files) {
        const TempDir made;
        for (const auto& [name, text] : files) write_file_atomic(made.path() / name, text);
        BufferSource bytes(tar_of(made.path()));
        manifest = client::choose_set(from, add_set(bytes, "tar", "mydumper"));
    };
    const std::string begun = "Started dump at: 2026-11-23 06:50:06\n";
    SECTION("a damaged last segment") {
        const auto last = static_cast<std::int64_t>(manifest.segments.size()) - 1;
        CHECK(last > 0);
        const auto key = backupset::segment_key(server(), set, last);
        auto bytes = Bytes(store().get(key, 64U << 20U).view());
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        store().put(key, bytes);
        both_refuse("corrupt", std::to_string(last));
    }
    SECTION("a dump that was not finished") {
        use({{"metadata", begun}, {"shop.orders-schema.sql", "CREATE TABLE `orders` (i int);\n"}});
        both_refuse("corrupt", "finished");
        use({{"shop.orders-schema.sql", "CREATE TABLE `orders` (i int);\n"}});
        both_refuse("corrupt", "metadata");
    }
    SECTION("a file that mydumper does not write") {
        use({{"metadata", begun + "\nFinished dump at: 2026-11-23 06:50:07\n"}, {"shop.orders.sh", "evil"}});
        both_refuse("refused", "shop.orders.sh");
    }
    SECTION("a file behind the end of the dump") {
        tar::TarWriter writer;
        const std::string account = begun + "\nFinished dump at: 2026-11-23 06:50:07\n";
        for (const auto& [name, text] : {std::pair<std::string, std::string>{"metadata", account},
                                         {"shop.orders-schema.sql", "CREATE TABLE `orders` (i int);\n"}}) {
            writer.begin(name, std::ssize(text), UtcTime());
            writer.add(text);
            writer.end();
        }
        writer.finish();
        BufferSource bytes(writer.take());
        manifest = client::choose_set(from, add_set(bytes, "tar", "mydumper"));
        both_refuse("refused", "behind metadata");
    }
    SECTION("no tar at all") {
        BufferSource bytes(Bytes(100'000, 'x'));
        manifest = client::choose_set(from, add_set(bytes, "tar", "mydumper"));
        both_refuse("corrupt", "archive");
    }
}

TEST_CASE_METHOD(Dumped, "what a killed restore of a mydumper set left is removed by the next") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    UniqueFd reading(ends[0]);
    {
        const UniqueFd writing(ends[1]);
        Subprocess killed({.argv = command({"--scratch", folder().string(), "--stdout"}),
                           .fds = {{1, writing.get()}},
                           .environment = {{"XDG_CONFIG_HOME", folder().string()}},
                           .directory = {}});
        pollfd waiting{reading.get(), POLLIN, 0};
        REQUIRE(::poll(&waiting, 1, 60'000) == 1);  // its text comes, and is not taken
        REQUIRE(::kill(killed.pid(), SIGKILL) == 0);
        CHECK(killed.wait().signal == SIGKILL);
    }
    REQUIRE(names().size() == before.size() + 1);
    text_of({{}, {{"crm", "orders"}}});
    CHECK(names() == before);
    CHECK_THAT(said.front(), Contains("1 restore(s) left that were killed"));
}

TEST_CASE_METHOD(Dumped, "the command line gives a set of mydumper to what fits it") {
    const auto all = text_of({});
    const auto shown = run({"--stdout"});
    CHECK(shown.status.ok());
    CHECK(shown.out == all);
    CHECK_THAT(all, Contains("-- Dump completed on "));
    CHECK(names() == before);
    source.run_sql("DROP DATABASE crm");
    const auto piped = run({"--pipe", "--", "mariadb", "--no-defaults", "--user=root",
                            "--socket=" + source.socket().string(), "--default-character-set=utf8mb4"});
    INFO(piped.err);
    CHECK(piped.status.ok());
    CHECK(source.run_sql("SELECT i FROM crm.orders") == "9\n");

    const auto target = folder() / "files";
    const auto folder_of = run({"--dump-folder", target.string(), "--database", "shop"});
    INFO(folder_of.err);
    REQUIRE(folder_of.status.ok());
    CHECK(Json::parse(folder_of.out) ==
          Json({{"server", server()}, {"set", set}, {"folder", target.string()}, {"tables", 10}}));
    std::filesystem::remove_all(target);

    const auto to_target = [&](const std::string& option) { return std::vector{option, target.string()}; };
    refuses(to_target("--datadir"), ErrorKind::usage, "--dump-folder");
    refuses({"--table", "shop.orders", "--tablespaces", target.string()}, ErrorKind::usage, "no tablespaces");
    refuses({"--table", "shop.nothing", "--output", target.string()}, ErrorKind::not_found, "shop.nothing");
    refuses({"--dump-folder", target.string(), "--stdout"}, ErrorKind::usage, "--dump-folder is needed");
    refuses({"--dump-folder", target.string(), "--one-pass"}, ErrorKind::usage, "--one-pass");
    refuses({"--stdout", "--scratch", target.string()}, ErrorKind::not_found, "--scratch");
    add_dump("-- Dump completed\n");
    refuses(to_target("--dump-folder"), ErrorKind::usage, "no folder of mydumper");
}
