// Dumps of some databases and tables: what is in them, what is refused, and that they are proven like others.
#include <catch2/catch.hpp>
#include <filesystem>

#include "agent/check/database_check.hpp"
#include "agent/proof/full_proof.hpp"
#include "agent/source/dump_scope.hpp"
#include "agent/source/mysql_client.hpp"
#include "agent/source/tool.hpp"
#include "common/backupset/sealer.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/ids.hpp"
#include "common/restore/dump_splitter.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/streams.hpp"

namespace strongroom::agent {
namespace {

using restore::TableName;
using test::error_of;

// A name that looks like an option, quotes, wildcards, a dot.
constexpr const char* partial_schema =
    "CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY, name VARCHAR(40));"
    "INSERT INTO orders VALUES (1, 'one'), (2, '\\');\\n-- Table structure for table `evil`\\n');"
    "CREATE TABLE `or_ers` (id INT); CREATE TABLE ordXers (id INT); CREATE TABLE `--result-file=x` (id INT);"
    "CREATE VIEW names AS SELECT name FROM orders; CREATE PROCEDURE shop.p() SELECT 1;"
    "CREATE TRIGGER tr BEFORE INSERT ON orders FOR EACH ROW SET NEW.name = 'it''s';"
    "CREATE DATABASE `--tab=x`; CREATE TABLE `--tab=x`.`a.b``c` (id INT); INSERT INTO `--tab=x`.`a.b``c` "
    "VALUES "
    "(7); CREATE DATABASE other; CREATE TABLE other.secret (id INT); INSERT INTO other.secret VALUES (1);";

struct PartialSite {
    PartialSite() {
        server.run_sql(partial_schema);
        host.config.source = "mariadb-dump";
        host.config.mysql_option_file = server.option_file(
            "part", "SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, BINLOG MONITOR ON *.*");
        std::filesystem::permissions(server.folder(), std::filesystem::perms(0711));
        std::filesystem::create_directory(folder);
        std::filesystem::permissions(folder, std::filesystem::perms(0711));
        host.config.proof.folder = folder;
        host.config.proof.figures = true;
    }
    void choose(std::vector<std::string> databases, std::vector<std::string> tables,
                std::vector<std::string> excluded = {}) {
        host.config.dump = {std::move(databases), std::move(tables), std::move(excluded)};
    }
    // The tables of the next backup, which must be marked as one of a part.
    std::set<TableName> tables_backed_up() {
        set = host.back_up().set;
        manifest = backupset::read_manifest(*host.store(), host.agent.server, set, host.state.signers());
        CHECK(manifest.scope == "partial");
        CHECK(manifest.position.binlog_file);
        text = host.open(set);
        restore::DumpSplitter seen(nullptr, {});
        seen.write(text.data(), text.size());
        seen.commit();
        return seen.tables();
    }
    ProofResult prove(const std::string& which) {
        ProofOptions options;
        options.set = which;
        const auto store = host.store();
        return prove_by_restoring(host.config.proof, host.state, own_subject(host.state), *store, host.clock,
                                  options);
    }
    std::string sealed(const std::string& dump) {
        test::BufferSource source(dump);
        backupset::SealOptions options;
        options.server = host.agent.server;
        options.identity = host.agent.identity;
        options.stream = "sql";
        options.source_tool = "mariadb-dump";
        options.partial = true;
        const std::string out = make_set_id(host.clock.now());
        backupset::seal(options, out, source, *host.store(), gpg::Home::use(host.state.own_home()),
                        host.clock);
        return out;
    }
    Finding check() const {
        std::vector<Finding> all;
        check_database(all, host.config, UtcTime{});
        for (const auto& one : all)
            if (one.what == "what is dumped" || one.what == "backup tool")
                if (one.what == "what is dumped" || one.level == Verdict::fail) return one;
        FAIL("no finding");
        throw 0;
    }

    test::MariadbServer server;
    test::RegisteredHost host;
    std::filesystem::path folder = server.folder() / "proof";
    std::string set;
    std::string text;
    backupset::Manifest manifest;
};

}  // namespace

TEST_CASE("a dump of some databases or tables holds those, and a proof knows which") {
    PartialSite site;
    const std::set<TableName> two{{"shop", "orders"}, {"--tab=x", "a.b`c"}};
    site.choose({}, {"shop.orders", "`--tab=x`.`a.b``c`"});
    CHECK(site.check().level == Verdict::ok);
    CHECK(site.tables_backed_up() == two);
    CHECK(site.text.find("secret") == std::string::npos);
    CHECK(site.text.find("PROCEDURE") == std::string::npos);
    CHECK(site.text.find("TRIGGER tr") != std::string::npos);
    CHECK(site.text.find("\n-- Server version") != std::string::npos);
    CHECK(site.manifest.server_version);
    const auto proven = site.prove(site.set);
    if (!proven.proven()) FAIL(proven.failure->text());
    CHECK(proven.not_compared.empty());
    CHECK(proven.equal == 2);

    // The same dump without a table that it says to hold, and one that is cut.
    const std::string good = site.text;
    auto failed = site.prove(site.sealed(restore::announce({{}, {{"shop", "more"}}}) + good));
    REQUIRE_FALSE(failed.proven());
    CHECK(failed.failed_step == "load");
    CHECK(failed.failure->text().find("no table shop.more") != std::string::npos);
    failed = site.prove(site.sealed(good.substr(0, good.find("-- Dump completed"))));
    REQUIRE_FALSE(failed.proven());
    CHECK(failed.failure->text().find("Dump completed") != std::string::npos);

    site.choose({"shop"}, {}, {"shop.or_ers"});
    CHECK(site.tables_backed_up() ==
          std::set<TableName>{
              {"shop", "orders"}, {"shop", "ordXers"}, {"shop", "names"}, {"shop", "--result-file=x"}});
    CHECK(site.text.find("PROCEDURE `p`") != std::string::npos);
    CHECK(site.prove(site.set).equal == 3);

    site.choose({}, {}, {"other.secret", "other.gone"});
    CHECK(site.check().level == Verdict::warn);
    const auto all = site.tables_backed_up();
    CHECK(all.contains({"shop", "or_ers"}));
    CHECK(all.contains({"mysql", "proc"}));
    CHECK_FALSE(all.contains({"other", "secret"}));
}

TEST_CASE("a part that is not there, or cannot be named, makes no backup") {
    PartialSite site;
    const auto refused = [&](ErrorKind kind, const std::string& text, const std::string& hint = "") {
        const Error error = site.host.failing_backup();
        CHECK(error.kind() == kind);
        INFO(error.text() << " " << error.hint());
        CHECK(error.text().find(text) != std::string::npos);
        CHECK(error.hint().find(hint) != std::string::npos);
        CHECK(site.check().level == Verdict::fail);
    };
    site.choose({}, {"shop.orders", "shop.order"});
    refused(ErrorKind::source, "no table shop.order,", "shop.orders");
    site.choose({}, {"shop.or%"});
    refused(ErrorKind::source, "no table shop.or%");
    site.choose({}, {"shop.ord_ers"});  // LIKE would find ordXers
    refused(ErrorKind::source, "no table shop.ord_ers", "shop.ordXers");
    site.choose({"shop", "Shop"}, {});
    refused(ErrorKind::source, "no database Shop", "shop");
    site.choose({"shop"}, {"shop.orders"});
    refused(ErrorKind::config, "both set");
    site.choose({"shop\n"}, {});
    refused(ErrorKind::config, "control characters");
    site.choose({}, {"orders"});
    refused(ErrorKind::config, "does not name a database and a table");
    site.choose({"shop"}, {}, {"other.secret"});
    refused(ErrorKind::config, "in none of the databases");
    site.choose({"shop", "shop"}, {});
    refused(ErrorKind::config, "named twice");
    site.host.config.source = "mariadb-backup";
    site.choose({"shop"}, {});
    refused(ErrorKind::config, "for dumps");
    site.host.config.source = "auto";
    CHECK(find_tool(site.host.config).name == "mariadb-dump");
}

}  // namespace strongroom::agent
