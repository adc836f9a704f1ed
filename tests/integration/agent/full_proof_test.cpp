// A proof by restoring succeeds only if every step did: each is broken here, with a real MariaDB, and the set
// must fail in that step, be remembered as failed, and leave neither a server nor a file behind.
#include "agent/proof/full_proof.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include "agent/job/verify_run.hpp"
#include "agent/proof/figures_file.hpp"
#include "agent/proof/work_folder.hpp"
#include "agent/source/mysql_client.hpp"
#include "common/backupset/sealer.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/ids.hpp"
#include "common/base/subprocess.hpp"
#include "common/maintenance/verification_log.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/streams.hpp"

namespace strongroom::agent {
namespace {

namespace fs = std::filesystem;
using test::error_of;

constexpr const char* schema =
    "CREATE DATABASE shop; USE shop;"
    "CREATE TABLE orders(id INT PRIMARY KEY, name VARCHAR(40), price DOUBLE) ENGINE=InnoDB;"
    "INSERT INTO orders SELECT seq, CONCAT('order ', seq), seq / 7 FROM seq_1_to_2000;"
    "CREATE TABLE customers(id INT PRIMARY KEY, note TEXT) ENGINE=Aria; INSERT INTO customers VALUES (1, "
    "'a\\tb');"
    "CREATE TABLE old(id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO old VALUES (1), (2);"
    "CREATE TABLE session(id INT) ENGINE=MEMORY; INSERT INTO session VALUES (1);"
    "CREATE SEQUENCE numbers; SELECT NEXTVAL(numbers);"
    "CREATE TABLE `od``d\tname`(id INT) ENGINE=InnoDB;"
    "CREATE TABLE parts(id INT PRIMARY KEY) PARTITION BY HASH(id) PARTITIONS 3; INSERT INTO parts VALUES "
    "(1), (2);"
    "CREATE VIEW expensive AS SELECT * FROM orders WHERE price > 100;";

struct Site {
    Site() {
        server.run_sql(schema);
        // All is in the data files, so that the log cannot make up for one that is taken away.
        server.run_sql(
            "SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0, GLOBAL innodb_max_dirty_pages_pct = 0, "
            "GLOBAL innodb_log_checkpoint_now = 1");
        host.config.source = "mariadb-backup";
        host.config.mysql_option_file =
            server.option_file("backup",
                               "RELOAD, PROCESS, BINLOG MONITOR, SELECT, SHOW VIEW, TRIGGER, EVENT, "
                               "LOCK TABLES ON *.*");
        // A folder that the user of the private server may enter, also where the tests run as root.
        fs::permissions(server.folder(), fs::perms(0711));
        fs::create_directory(folder);
        fs::permissions(folder, fs::perms(0711));
        host.config.proof.folder = folder;
        host.config.proof.figures = true;
    }

    restore::SqlClient source() const { return {option_file_argument(host.config.mysql_option_file), {}}; }
    backupset::Manifest manifest_of(const std::string& set) const {
        return backupset::read_manifest(*host.store(), host.agent.server, set, host.state.signers());
    }

    ProofResult prove(const std::string& set, const ProofOptions& given = {}) {
        ProofOptions options = given;
        options.set = set;
        const auto store = host.store();
        const auto own = own_subject(host.state, host.config.proof.assertions);
        auto out = prove_by_restoring(host.config.proof, host.state, own, *store, host.clock, options);
        CHECK(fs::is_empty(folder));
        const auto known = log();
        const auto* entry = known.find(set);
        REQUIRE(entry != nullptr);
        logged = *entry;
        CHECK(logged.proven.has_value() == out.proven());
        CHECK(logged.proof_failed.has_value() == !out.proven());
        return out;
    }
    // The set must fail in this step, and say so.
    void must_fail(const std::string& set, const std::string& step, const std::string& text) {
        INFO(step << ", " << text);
        const auto result = prove(set);
        REQUIRE_FALSE(result.proven());
        INFO(result.failure->text());
        CHECK(result.failed_step == step);
        CHECK(result.failure->text().find(text) != std::string::npos);
        CHECK(error_of([&] { require_proven({{result}, {}}, one_line); }).kind() == ErrorKind::corrupt);
    }
    maintenance::VerificationLog log() const {
        return {host.state.verified_file(), host.agent.server, {host.agent.identity}, {}};
    }

    // A set with the same files after `change`, signed by this host like every other.
    std::string changed_set(const std::string& set, const std::function<void(const fs::path&)>& change) {
        const TempDir files;
        const auto unpacked = run_program({.argv = {"mbstream", "-x", "-C", files.path().string()},
                                           .fds = {},
                                           .environment = {},
                                           .directory = {}},
                                          host.open(set));
        REQUIRE(unpacked.status.ok());
        change(files.path());
        SpawnOptions pack{.argv = {"mbstream", "-c"}, .fds = {}, .environment = {}, .directory = {}};
        for (const auto& entry : fs::recursive_directory_iterator(files.path()))
            if (entry.is_regular_file())
                pack.argv.push_back(entry.path().lexically_relative(files.path()).string());
        pack.directory = files.path().string();
        return sealed(run_program(pack, {}, std::chrono::seconds(60), 1U << 30U).out, "xbstream",
                      "mariadb-backup");
    }
    std::string sealed(const Bytes& stream, const std::string& kind, const std::string& tool) {
        test::BufferSource source(stream);
        backupset::SealOptions options;
        options.server = host.agent.server;
        options.identity = host.agent.identity;
        options.stream = kind;
        options.source_tool = tool;
        const auto home = gpg::Home::use(host.state.own_home());
        const std::string out = make_set_id(host.clock.now());
        backupset::seal(options, out, source, *host.store(), home, host.clock);
        return out;
    }

    test::MariadbServer server;
    test::RegisteredHost host;
    fs::path folder = server.folder() / "proof";
    maintenance::VerifiedSet logged;
};

void cut(const fs::path& file, std::uintmax_t size) {
    fs::resize_file(file, size);
}

std::size_t servers_in(const fs::path& folder) {
    std::size_t out = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        std::ifstream file(entry.path() / "cmdline");
        const std::string words((std::istreambuf_iterator<char>(file)), {});
        if (words.find(folder.string() + "/") != std::string::npos &&
            words.find("mariadbd") != std::string::npos)
            ++out;
    }
    return out;
}

}  // namespace

TEST_CASE("a set is proven only if it can be extracted, prepared, started, checked and compared") {
    Site site;
    const std::string good = site.host.back_up().set;
    const auto figures = load_figures(site.host.state, good);
    REQUIRE(figures);
    REQUIRE_FALSE(figures->not_exact);
    const auto& assertions = site.host.config.proof.assertions = {"SELECT COUNT(*) = 2000 FROM shop.orders",
                                                                  "SELECT COUNT(*) > 0 FROM shop.expensive"};
    {
        const auto result = site.prove(good);
        if (!result.proven()) FAIL(result.failure->text());
        // orders, customers, old and parts; neither the sequence, the table in memory nor the odd name.
        CHECK(result.equal == 4);
        CHECK(result.not_comparable == 2);
        CHECK(result.not_checkable == 2);
        CHECK(result.checked + result.not_checkable == result.tables);
        CHECK(result.tables > 20);
        CHECK(result.assertions == assertions.size());
        CHECK(result.not_compared.empty());
        CHECK(site.logged.good());
        CHECK(site.logged.stored_bytes == site.manifest_of(good).stored_total);
        CHECK(servers_in(site.folder) == 0);
    }

    // The sets of a source that lost a table, or had one row more, one less, one other: with the same
    // figures.
    const auto with_good_figures = [&](const std::string& sql) {
        site.server.run_sql(sql, "shop");
        const std::string set = site.host.back_up().set;
        auto changed = *figures;
        changed.set = set;
        save_figures(site.host.state, changed);
        return set;
    };
    site.must_fail(with_good_figures("UPDATE orders SET name = 'order 8' WHERE id = 7"), "compare",
                   "table shop.orders has other contents");
    site.must_fail(with_good_figures("DELETE FROM orders WHERE id = 7"), "compare",
                   "table shop.orders has 1999 rows, at the source it had 2000");
    const std::string poor =
        with_good_figures("INSERT INTO orders SELECT 7, 'order 7', 7 / 7; DROP TABLE old");
    site.must_fail(poor, "compare", "table shop.old is missing");
    CHECK(site.logged.result == "unproven");

    // Files that are gone or cut, signed as they are.
    site.must_fail(site.changed_set(good, [](const fs::path& files) { cut(files / "ibdata1", 1 << 20); }),
                   "prepare", "mariadb-backup --prepare failed");
    site.must_fail(site.changed_set(good,
                                    [](const fs::path& files) {
                                        fs::create_directory(files / "ibtmp1");
                                        write_file_atomic(files / "ibtmp1/in-the-way", "x");
                                    }),
                   "start", "the private server did not start");
    site.must_fail(
        site.changed_set(good, [](const fs::path& files) { fs::remove(files / "shop/orders.ibd"); }), "check",
        "table shop.orders");
    site.must_fail(site.changed_set(good,
                                    [](const fs::path& files) {
                                        fs::remove(files / "shop/orders.frm");
                                        fs::remove(files / "shop/orders.ibd");
                                    }),
                   "check", "table shop.orders: InnoDB knows it");
    site.must_fail(site.changed_set(good, [](const fs::path& files) { fs::remove(files / "shop/old.MYI"); }),
                   "check", "table shop.old");
    site.must_fail(
        site.changed_set(good, [](const fs::path& files) { fs::remove(files / "xtrabackup_checkpoints"); }),
        "extract", "no physical backup");

    // An assertion that does not hold, is no single value, or is no SQL.
    for (const auto& [sql, text] : std::vector<std::pair<std::string, std::string>>{
             {"SELECT COUNT(*) > 5000 FROM shop.orders", "assertion 2 says \"0\", not 1"},
             {"SELECT id FROM shop.orders", "assertion 2 answered with 2000 rows"},
             {"SELECT 1 FROM shop.nothing", "assertion 2: SQL failed"}}) {
        site.host.config.proof.assertions = {"SELECT 1", sql};
        site.must_fail(good, "assert", text);
    }
    site.host.config.proof.assertions = {};
    CHECK(site.prove(good).proven());

    // Damage in the store.
    const fs::path segment = fs::path(site.host.folder.path()) / "store" / site.host.agent.server / "sets" /
                             good / "data/000000.gpg";
    const auto bytes = read_file(segment, 1U << 30U);
    std::fstream(segment, std::ios::in | std::ios::out | std::ios::binary).seekp(5000).write("X", 1);
    site.must_fail(good, "extract", "segment 0");
    write_file_atomic(segment, bytes);
}

TEST_CASE("what says nothing about a set is an error, and changes nothing that is known of it") {
    Site site;
    const std::string set = site.host.back_up().set;
    const auto failing = [&](const ProofOptions& options = {}) {
        return error_of([&] { site.prove(set, options); });
    };
    site.host.config.proof.space_limit = 1 << 20;
    Error error = failing();
    CHECK(error.kind() == ErrorKind::storage);
    INFO(error.text());
    CHECK(error.text().find("proof-space-limit allows 1 MiB") != std::string::npos);
    site.host.config.proof.space_limit = 0;
    error = error_of(
        [&] { WorkFolder(site.host.config.proof, site.host.state, site.host.agent.server, 1LL << 60); });
    CHECK(error.kind() == ErrorKind::storage);
    CHECK(error.text().find("not enough space: the proof needs 1024 PiB") != std::string::npos);
    CHECK(error.hint().find("proof-folder") != std::string::npos);

    std::stop_source stop;
    ProofOptions options;
    options.stop = stop.get_token();
    options.on_progress = [&](const backupset::Progress& now) {
        if (now.stage == "check") stop.request_stop();
    };
    CHECK(failing(options).kind() == ErrorKind::interrupted);
    CHECK(fs::is_empty(site.folder));
    CHECK(servers_in(site.folder) == 0);
    CHECK(site.log().sets().empty());

    // Figures are exact only at the position of the backup.
    site.server.run_sql("INSERT INTO parts VALUES (9)", "shop");
    const auto late = take_figures(site.source(), set, site.manifest_of(set).position);
    CHECK(late.not_exact == "the source was written to between the end of the backup and the figures");
    CHECK(late.tables.empty());
    save_figures(site.host.state, late);
    const auto result = site.prove(set);
    CHECK(result.proven());
    CHECK(result.equal == 0);
    CHECK(result.not_compared == *late.not_exact);
    CHECK(one_line(result).find("not compared with the source") != std::string::npos);

    // A proof that is killed leaves no server, and its folder only until the next one.
    const auto killed = test::killed_in_child([&] {
        ProofOptions until_check;
        until_check.on_progress = [&](const backupset::Progress& now) {
            if (now.stage == "check") ::raise(SIGKILL);
        };
        site.prove(set, until_check);
    });
    CHECK(killed);
    for (int i = 0; i < 100 && servers_in(site.folder) > 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(servers_in(site.folder) == 0);
    CHECK_FALSE(fs::is_empty(site.folder));
    CHECK(site.prove(set).proven());

    site.host.config.source = "command";
    site.host.config.source_command = {"/bin/echo", "no database"};
    const std::string other = site.host.back_up().set;
    error = error_of([&] { site.prove(other); });
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(error.text().find("cannot be proven by restoring") != std::string::npos);
    CHECK(site.log().find(other) == nullptr);
}

TEST_CASE("an increment is proven with all that it builds on") {
    Site site;
    site.server.run_sql("GRANT SUPER ON *.* TO backup@localhost");
    const auto back_up = [&](bool incremental) {
        const FileLock lock = site.host.state.lock_backup();
        return run_backup(site.host.host(),
                          {.job = {}, .schedule = {}, .slot = {}, .incremental = incremental}, lock, {}, {});
    };
    const std::string full = back_up(false).set;
    site.server.run_sql("UPDATE orders SET name = 'changed' WHERE id % 10 = 0; INSERT INTO parts VALUES (9)",
                        "shop");
    const auto increment = back_up(true);
    REQUIRE(increment.kind == "incremental");
    site.host.config.proof.assertions = {"SELECT COUNT(*) = 200 FROM shop.orders WHERE name = 'changed'"};
    const auto result = site.prove(increment.set);
    if (!result.proven()) FAIL(result.failure->text());
    CHECK(result.equal == 4);
    CHECK(result.seconds.extract > 0);
    CHECK(result.seconds.prepare > 0);
    site.must_fail(full, "assert", "assertion 1 says \"0\"");

    const fs::path parent = fs::path(site.host.folder.path()) / "store" / site.host.agent.server / "sets" /
                            full / "data/000000.gpg";
    std::fstream(parent, std::ios::in | std::ios::out | std::ios::binary).seekp(5000).write("X", 1);
    site.must_fail(increment.set, "extract", full);
    fs::remove_all(parent.parent_path().parent_path());
    site.must_fail(increment.set, "open", full);
}

TEST_CASE("a dump is proven on an empty server that takes it in") {
    Site site;
    site.server.run_sql(
        "CREATE TABLE weights(id INT PRIMARY KEY, grams FLOAT); INSERT INTO weights VALUES (1, 0.123456789);"
        "CREATE EVENT nightly ON SCHEDULE EVERY 1 SECOND DO DELETE FROM orders;"
        "CREATE TRIGGER born BEFORE INSERT ON parts FOR EACH ROW SET NEW.id = NEW.id;",
        "shop");
    site.host.config.source = "mariadb-dump";
    site.host.config.proof.assertions = {"SELECT COUNT(*) = 2000 FROM shop.orders"};
    const std::string good = site.host.back_up().set;
    const auto result = site.prove(good);
    if (!result.proven()) FAIL(result.failure->text());
    CHECK(result.equal == 4);
    CHECK(result.not_comparable == 3);  // the one with FLOAT, too: the dump itself rounds it
    CHECK(result.assertions == 1);
    CHECK(servers_in(site.folder) == 0);

    site.host.config.proof.assertions = {};
    const std::string dump = site.host.open(good);
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string text = dump;
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        text.replace(at, from.size(), to);
        const std::string set = site.sealed(text, "sql", "mariadb-dump");
        auto figures = *load_figures(site.host.state, good);
        figures.set = set;
        save_figures(site.host.state, figures);
        return set;
    };
    site.must_fail(changed("'order 7'", "'order 8'"), "compare", "table shop.orders has other contents");
    site.must_fail(changed("INSERT INTO `weights`", "INSERT INTO `nothing`"), "load", "nothing");
    site.must_fail(changed("(1,0.123457)", "(1,0.123457),(2,0.5)"), "compare",
                   "table shop.weights has 2 rows, at the source it had 1");
    // The client's own commands are no SQL, and are not carried out.
    const fs::path proof = site.server.folder() / "tmp/carried-out";
    site.must_fail(
        changed("INSERT INTO `weights`", "\n\\! touch " + proof.string() + "\nINSERT INTO `weights`"), "load",
        "sandbox");
    CHECK_FALSE(fs::exists(proof));
}

}  // namespace strongroom::agent
