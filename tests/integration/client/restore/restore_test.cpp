#include "client/restore/restore.hpp"

#include <catch2/catch.hpp>

#include "common/backupset/layout.hpp"
#include "common/backupset/process_streams.hpp"
#include "common/base/error.hpp"
#include "tests/integration/client/restore/escrowed_server.hpp"
#include "tests/support/mariadb_server.hpp"

using namespace strongroom;
using namespace strongroom::test;
using Catch::Matchers::Contains;

namespace {

struct Restoring : EscrowedServer {
    client::RecoveredHome recovered = recover("home");
    gpg::Home home = gpg::Home::use(folder() / "home");
    client::RestoreFrom from{store(), recovered, home, 0, {}};
    ~Restoring() { home.stop_daemons(); }

    void flip_byte(const std::string& key) {
        auto bytes = Bytes(store().get(key, 64U << 20U).view());
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        store().put(key, bytes);
    }
    std::filesystem::path out() const { return folder() / "out"; }
    // Restores a dump through `dd`, which shows whether the command ran at all.
    void pipe(const std::string& set) {
        client::restore_pipe(from, client::choose_set(from, set),
                             {"dd", "of=" + out().string(), "status=none"});
    }
};

}  // namespace

TEST_CASE_METHOD(Restoring, "a dump goes through a command, the newest set by default") {
    const auto first = add_dump("first");
    const std::string text(3 << 20, 'z');
    add_dump(text);
    pipe("latest");
    CHECK(read_file(out(), 16U << 20U) == text);
    pipe(first);
    CHECK(read_file(out(), 16U << 20U) == "first");
}

TEST_CASE_METHOD(Restoring, "a set that is not whole releases no byte") {
    const auto set = add_dump(std::string(3 << 20, 'z'));
    SECTION("a changed last segment") {
        flip_byte(backupset::segment_key(server(), set, 2));
        const auto refused = refusal_of([&] { pipe(set); });
        CHECK(refused.kind == "corrupt");
        CHECK_THAT(refused.text, Contains("2"));
    }
    SECTION("a missing segment") {
        store().remove(backupset::segment_key(server(), set, 1));
        refusal_of([&] { pipe(set); });
    }
    SECTION("a changed manifest") {
        flip_byte(backupset::manifest_key(server(), set));
        refusal_of([&] { pipe(set); });
        CHECK(refusal_of([&] { pipe("latest"); }).kind == "corrupt");
    }
    SECTION("a set that was never committed, or does not exist") {
        store().remove(backupset::manifest_signature_key(server(), set));
        CHECK(refusal_of([&] { pipe(set); }).kind == "not_found");
        const auto none = refusal_of([&] { pipe("latest"); });
        CHECK(none.kind == "not_found");
        CHECK_THAT(none.text, Contains("no backup set"));
        CHECK(refusal_of([&] { pipe("../../etc"); }).kind == "usage");
    }
    CHECK_FALSE(std::filesystem::exists(out()));
}

TEST_CASE_METHOD(Restoring, "if the newest set cannot be trusted, no older one is taken silently") {
    const auto old = add_dump("old");
    const auto newest = add_dump("new");
    flip_byte(backupset::manifest_key(server(), newest));
    const auto refused = refusal_of([&] { client::choose_set(from, "latest"); });
    CHECK(refused.kind == "corrupt");
    CHECK_THAT(refused.text, Contains(newest));
    CHECK_THAT(refused.hint, Contains("--set " + old));
}

TEST_CASE_METHOD(Restoring, "a failing or missing command is an error") {
    const auto set = add_dump("text");
    const auto manifest = client::choose_set(from, set);
    refusal_of([&] { client::restore_pipe(from, manifest, {"false"}); });
    CHECK(refusal_of([&] { client::restore_pipe(from, manifest, {"no-such-program-here"}); }).kind ==
          "tool_missing");
}

TEST_CASE_METHOD(Restoring, "a real backup restores to a data directory that a server starts on") {
    std::string set;
    std::string sum;
    {
        MariadbServer database;
        database.load("world", "world_schema.inc");
        database.load("world", "world.inc");
        sum = database.run_sql("CHECKSUM TABLE world.City, world.Country, world.CountryLanguage");
        const auto options = database.option_file("backup", "RELOAD, PROCESS, BINLOG MONITOR ON *.*");
        backupset::ProcessSource source(
            {.name = "mariadb-backup",
             .spawn = {.argv = {"mariadb-backup", "--defaults-file=" + options.string(), "--backup",
                                "--stream=xbstream", "--datadir=" + database.datadir().string(),
                                "--target-dir=" + database.folder().string()},
                       .fds = {},
                       .environment = {},
                       .directory = {}}});
        set = add_set(source, "xbstream", "mariadb-backup");
    }
    const auto before = names();
    const auto manifest = client::choose_set(from, set);
    const auto target = folder() / "data";

    SECTION("prepared, it starts with the same rows") {
        client::restore_datadir(from, manifest, {target, true});
        CHECK(names().size() == before.size() + 1);
        give_to_mysql(target);
        std::filesystem::permissions(folder(), std::filesystem::perms(0755));  // mysql must reach it
        MariadbServer::Options options;
        options.datadir = target;
        MariadbServer again(options);
        CHECK(again.run_sql("CHECKSUM TABLE world.City, world.Country, world.CountryLanguage") == sum);
    }
    SECTION("an existing directory is not touched") {
        std::filesystem::create_directory(target);
        write_file_atomic(target / "ibdata1", "precious");
        const auto refused = refusal_of([&] { client::restore_datadir(from, manifest, {target, false}); });
        CHECK(refused.kind == "exists");
        CHECK(read_file(target / "ibdata1", 100) == "precious");
        CHECK(names().size() == before.size() + 1);
    }
    SECTION("a corrupt set leaves nothing, even if only its last segment is bad") {
        const auto last = static_cast<std::int64_t>(manifest.segments.size()) - 1;
        flip_byte(backupset::segment_key(server(), set, last));
        CHECK(refusal_of([&] {
                  client::restore_datadir(from, manifest, {target, false});
              }).kind == "corrupt");
        CHECK(names() == before);
    }
    SECTION("an interruption leaves nothing") {
        from.on_progress = [](const backupset::Progress& now) {
            if (now.stage != "preparing") throw Error(ErrorKind::interrupted, "stopped on request");
        };
        CHECK(refusal_of([&] {
                  client::restore_datadir(from, manifest, {target, false});
              }).kind == "interrupted");
        CHECK(names() == before);
    }
    SECTION("a dump is no data directory") {
        const auto dump = client::choose_set(from, add_dump("CREATE TABLE t (a INT);"));
        const auto refused = refusal_of([&] { client::restore_datadir(from, dump, {target, false}); });
        CHECK(refused.kind == "usage");
        CHECK_THAT(refused.hint, Contains("--pipe"));
    }
}

TEST_CASE_METHOD(Restoring, "a hostile stream does not get out of the target") {
    const auto number = [](std::uint64_t value, int bytes) {
        std::string out;
        for (int i = 0; i < bytes; ++i, value >>= 8U) out += static_cast<char>(value);
        return out;
    };
    const std::string path = "../escaped";
    class Text : public backupset::Source {
      public:
        explicit Text(std::string text) : text_(std::move(text)) {}
        std::size_t read(char* data, std::size_t size) override {
            const auto count = text_.copy(data, size);
            text_.erase(0, count);
            return count;
        }
        Facts finish() override { return {}; }
        void abort() noexcept override {}

      private:
        std::string text_;
    } source(std::string("XBSTCK01") + '\0' + 'P' + number(path.size(), 4) + path + number(4, 8) +
             number(0, 12) + "evil");
    const auto set = add_set(source, "xbstream", "mariadb-backup");
    const auto before = names();
    const auto refused = refusal_of([&] {
        client::restore_datadir(from, client::choose_set(from, set), {folder() / "data", false});
    });
    CHECK(refused.kind == "refused");
    CHECK_THAT(refused.text, Contains("../escaped"));
    CHECK(names() == before);
}
