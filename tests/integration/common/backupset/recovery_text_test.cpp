// Follows the commands of RECOVERY.txt with bash, gpg, zstd, mbstream, mariadb-backup, tar and myloader
// alone.
#include <catch2/catch.hpp>
#include <fstream>

#include "common/backupset/process_streams.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/message.hpp"
#include "common/storage/open/open_store.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/mydumper.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using test::BufferSource;

namespace {

// What is left after a disaster: a store on disk, and the owner's recovery key in a home of its own.
struct Remains {
    Remains() : store(storage::open_store("file://" + (dir.path() / "store").string(), true)) {
        recovery = gpg::generate_key(owner.home(), "owner@example.test", "ed25519");
        write_store_root(*store, bench.server, bench.identity,
                         gpg::export_public(bench.home(), bench.identity));
        const std::string subkey =
            gpg::find_key(bench.home(), bench.identity).encryption_subkey()->fingerprint;
        const Secret secret = gpg::export_secret_subkey(bench.home(), subkey);
        const Bytes record = gpg::encrypt_signed(owner.home(), {recovery},
                                                 gpg::sign(bench.home(), bench.identity, secret.reveal()));
        write_escrow_record(*store, bench.server, subkey, record);
    }

    Manifest seal_into(Source& source, const SealOptions& options) {
        return seal(options, bench.next_set(), source, *store, bench.home(), bench.clock);
    }
    Manifest seal_into(const Bytes& plain, const SealOptions& options) {
        BufferSource source(plain);
        return seal_into(source, options);
    }

    // Only what RECOVERY.txt in the store says, in a clean environment.
    RunResult recover(const std::map<std::string, std::string>& variables = {}) {
        const Bytes text = read_file(dir.path() / "store" / recovery_text_key(bench.server), 1 << 20);
        const std::string begin = "\n----8<---- commands\n";
        const auto first = text.find(begin) + begin.size();
        write_file_atomic(dir.path() / "recover.sh",
                          text.substr(first, text.find("----8<---- end", first) - first));
        SpawnOptions spawn;
        spawn.argv = {"env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + dir.path().string()};
        std::map<std::string, std::string> all{{"STORE", (dir.path() / "store").string()},
                                               {"RECOVERY_HOME", owner.home().path().string()},
                                               {"INTO", into().string()}};
        for (const auto& [key, value] : variables) all[key] = value;
        for (const auto& [key, value] : all) spawn.argv.push_back(key + "=" + value);
        spawn.argv.insert(spawn.argv.end(), {"bash", (dir.path() / "recover.sh").string()});
        return run_program(spawn, {}, std::chrono::seconds(90));
    }
    void check_refused(const std::string& reason, const std::map<std::string, std::string>& variables = {}) {
        const RunResult result = recover(variables);
        INFO(result.out << result.err);
        CHECK_FALSE(result.status.ok());
        CHECK(result.err.find(reason) != std::string::npos);
        CHECK_FALSE(std::filesystem::exists(into()));
        std::filesystem::remove_all(into().string() + ".partial");
    }
    std::filesystem::path into() const { return dir.path() / "restored"; }
    std::filesystem::path object(const std::string& key) const { return dir.path() / "store" / key; }

    TempDir dir;
    test::SetBench bench;
    gpg::TempHome owner;
    std::string recovery;
    std::unique_ptr<storage::ObjectStore> store;
};

Bytes some_lines(std::size_t count, const std::string& word) {
    Bytes out;
    for (std::size_t i = 0; i < count; ++i) out += word + " " + std::to_string(i) + "\n";
    return out;
}

}  // namespace

TEST_CASE("RECOVERY.txt brings a dump and a raw stream back") {
    Remains remains;
    auto options = remains.bench.options();
    options.stream = "sql";
    const Bytes older = some_lines(5000, "older");
    const std::string set = remains.seal_into(older, options).set;
    options.stream = "raw";
    options.compression = "none";
    const Bytes newer = some_lines(3000, "newer");
    remains.seal_into(newer, options);
    std::filesystem::create_directories(
        remains.object(remains.bench.server + "/sets/20991231T000000Z-00000000/data"));

    const RunResult latest = remains.recover();
    INFO(latest.out << latest.err);
    REQUIRE(latest.status.ok());
    CHECK(read_file(remains.into() / "stream", 1 << 20) == newer);
    std::filesystem::remove_all(remains.into());

    const RunResult chosen = remains.recover({{"SET", set}});
    INFO(chosen.out << chosen.err);
    REQUIRE(chosen.status.ok());
    CHECK(read_file(remains.into() / "dump.sql", 1 << 20) == older);
    CHECK(gpg::list_keys(remains.owner.home()).size() == 1);  // the owner's home is as it was
    const RunResult again = remains.recover();
    CHECK_FALSE(again.status.ok());
    CHECK(again.err.find("exists") != std::string::npos);
}

TEST_CASE("RECOVERY.txt refuses what its server did not make") {
    Remains remains;
    remains.seal_into(some_lines(4000, "row"), remains.bench.options());
    const Manifest manifest = remains.seal_into(some_lines(5000, "row"), remains.bench.options());
    const std::string& server = remains.bench.server;
    SECTION("another identity") {
        remains.check_refused("signed by another key", {{"IDENTITY", remains.recovery}});
    }
    SECTION("a changed manifest") {
        const auto path = remains.object(manifest_key(server, manifest.set));
        write_file_atomic(path, read_file(path, 1 << 20) + " ");
        remains.check_refused("signature is not valid");
    }
    SECTION("a damaged segment") {
        const auto path = remains.object(segment_key(server, manifest.set, 3));
        Bytes bytes = read_file(path, 1 << 20);
        bytes[bytes.size() / 2] ^= 1;
        write_file_atomic(path, bytes);
        remains.check_refused("a segment is damaged");
    }
    SECTION("a missing segment") {
        std::filesystem::remove(remains.object(segment_key(server, manifest.set, 0)));
        remains.check_refused("a segment is damaged");
    }
    SECTION("the manifest of another set, properly signed") {
        const std::string other = "20990101T000000Z-01234567";
        std::filesystem::copy(remains.object(set_prefix(server, manifest.set)),
                              remains.object(set_prefix(server, other)),
                              std::filesystem::copy_options::recursive);
        remains.check_refused("of another set");
    }
    SECTION("an envelope of another set") {
        const auto sets = list_sets(*remains.store, server, remains.bench.home(), remains.bench.identity);
        REQUIRE(sets.size() == 2);
        write_file_atomic(remains.object(envelope_key(server, sets[1].set)),
                          read_file(remains.object(envelope_key(server, sets[0].set)), 1 << 20));
        remains.check_refused("does not decrypt");
    }
    SECTION("an escrow record that the server did not sign") {
        const auto records = read_escrow_records(*remains.store, server);
        REQUIRE(records.size() == 1);
        const Secret opened = gpg::export_secret_subkey(remains.bench.home(), records[0].subkey);
        write_escrow_record(*remains.store, server, records[0].subkey,
                            gpg::encrypt(remains.owner.home(), {remains.recovery}, opened.reveal()));
        remains.check_refused("is not signed by the server");
    }
    SECTION("another recovery key") {
        const gpg::TempHome stranger;
        remains.check_refused("does not open with this recovery key",
                              {{"RECOVERY_HOME", stranger.home().path().string()}});
    }
    SECTION("no store there") {
        remains.check_refused("set STORE", {{"STORE", "/nonexistent"}});
    }
}

TEST_CASE("RECOVERY.txt brings a physical backup of a real MariaDB back") {
    Remains remains;
    std::string before;
    {
        test::MariadbServer server;
        server.run_sql("CREATE DATABASE shop");
        server.run_sql(
            "CREATE TABLE orders (id INT PRIMARY KEY, item VARCHAR(200)); "
            "INSERT INTO orders SELECT seq, CONCAT('item ', seq) FROM seq_1_to_5000",
            "shop");
        before = server.run_sql("CHECKSUM TABLE shop.orders");
        SpawnOptions spawn;
        spawn.argv = {"mariadb-backup",
                      "--no-defaults",
                      "--backup",
                      "--stream=xbstream",
                      "--user=root",
                      "--socket=" + server.socket().string(),
                      "--datadir=" + server.datadir().string(),
                      "--target-dir=" + (remains.dir.path() / "tmp").string()};
        ProcessSource source({"mariadb-backup", spawn});
        auto options = remains.bench.options(1 << 20);
        options.stream = "xbstream";
        options.source_tool = "mariadb-backup";
        remains.seal_into(source, options);
    }
    const RunResult result = remains.recover();
    INFO(result.out << result.err);
    REQUIRE(result.status.ok());
    test::give_to_mysql(remains.into());
    std::filesystem::permissions(remains.dir.path(),
                                 std::filesystem::perms::owner_all | std::filesystem::perms::others_exec);
    test::MariadbServer::Options options;
    options.datadir = remains.into();
    const test::MariadbServer restored(options);
    CHECK(restored.run_sql("CHECKSUM TABLE shop.orders") == before);
}

TEST_CASE("RECOVERY.txt brings the files of mydumper back, and its loader loads them") {
    Remains remains;
    const test::MariadbServer server;
    server.run_sql(
        "CREATE DATABASE `märz`; CREATE TABLE `märz`.`ta ble` (id INT PRIMARY KEY, item BLOB); "
        "INSERT INTO `märz`.`ta ble` SELECT seq, SHA2(seq, 512) FROM `märz`.seq_1_to_20000; "
        "CREATE TABLE `märz`.empty (i INT); CREATE VIEW `märz`.v AS SELECT id FROM `märz`.`ta ble`");
    const std::string before = server.run_sql("CHECKSUM TABLE `märz`.`ta ble` EXTENDED");
    const auto dump = remains.dir.path() / "dump";
    test::run_mydumper(server, dump);
    auto options = remains.bench.options(1 << 20);
    options.stream = "tar";
    options.source_tool = "mydumper";
    remains.seal_into(test::tar_of(dump), options);

    const RunResult result = remains.recover();
    INFO(result.out << result.err);
    REQUIRE(result.status.ok());
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dump)) {
        const auto name = entry.path().filename();
        CHECK(read_file(remains.into() / name, 64U << 20U) == read_file(entry.path(), 64U << 20U));
        ++files;
    }
    CHECK(static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(remains.into()),
                                                 std::filesystem::directory_iterator())) == files);

    // The line of step 3 that loads it, as it stands there.
    const Bytes text =
        read_file(remains.dir.path() / "store" / recovery_text_key(remains.bench.server), 1 << 20);
    const auto first = text.find("myloader --directory");
    const std::string line = text.substr(first, text.find('\n', first) - first);
    server.run_sql("DROP DATABASE `märz`");
    write_file_atomic(remains.dir.path() / ".my.cnf",
                      "[client]\nuser=root\nsocket=" + server.socket().string() + "\n");
    const RunResult loaded = run_program(
        {.argv = {"bash", "-c", line},
         .fds = {},
         .environment = {{"HOME", remains.dir.path().string()}, {"INTO", remains.into().string()}},
         .directory = {}});
    INFO(line << ": " << loaded.err);
    REQUIRE(loaded.status.ok());
    CHECK(server.run_sql("CHECKSUM TABLE `märz`.`ta ble` EXTENDED") == before);
    CHECK(server.run_sql("SELECT COUNT(*) FROM `märz`.v") == "20000\n");

    // Without mydumper's own account of the end, which is the last file, it is no result.
    std::filesystem::remove_all(remains.into());
    write_file_atomic(dump / "metadata", "Started dump at: 2026-11-23 06:50:06\n");
    remains.seal_into(test::tar_of(dump), options);
    remains.check_refused("was not finished");
}
