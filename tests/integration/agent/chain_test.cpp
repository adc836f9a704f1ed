// Incremental chains with a real database: what a chain is made of, what breaks it and is noticed at the next
// backup, and that what is restored from it is the database of that moment.
#include "common/backupset/chain.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "agent/job/chain_plan.hpp"
#include "agent/source/redo_log.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/set_list.hpp"
#include "common/restore/chain.hpp"
#include "common/restore/preparation.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/mariadb_server.hpp"

using namespace strongroom;
using namespace strongroom::agent;
using namespace strongroom::test;

namespace {

constexpr const char* checksums = "CHECKSUM TABLE shop.t EXTENDED; SELECT COUNT(*), SUM(a) FROM shop.t";

struct ChainHost : RegisteredHost {
    ChainHost() {
        config.source = "mariadb-backup";
        config.segment_size = 1 << 20;
        config.mysql_option_file =
            database.option_file("low", "RELOAD, PROCESS, BINLOG MONITOR, SUPER ON *.*");
        database.run_sql(
            "CREATE DATABASE shop; CREATE TABLE shop.t (a INT PRIMARY KEY, b VARCHAR(200)) ENGINE=InnoDB; "
            "INSERT INTO shop.t SELECT seq, REPEAT(MD5(seq), 6) FROM shop.seq_1_to_20000");
    }

    proto::Backup increment() const {
        return back_up_as({.job = {}, .schedule = {}, .slot = {}, .incremental = true});
    }
    proto::Backup full() const { return back_up_as({}); }

    proto::Backup back_up_as(const Origin& origin) const {
        const FileLock lock = state.lock_backup();
        return run_backup(host(), origin, lock, {}, {});
    }

    backupset::Manifest manifest(const std::string& set) const {
        return backupset::read_manifest(*store(), agent.server, set, state.signers());
    }

    std::vector<backupset::Manifest> chain(const std::string& set) const {
        return backupset::read_chain(*store(), manifest(set), state.signers());
    }

    // Restores a set, starts a server on it, and returns what it holds.
    std::string restored(const std::string& set) const {
        const TempDir target({}, "srch");
        const auto data = target.path() / "data";
        std::filesystem::create_directory(data);
        const auto from_store = store();
        const gpg::Home home = gpg::Home::use(state.own_home());
        restore::restore_chain({*from_store, home, 0, {}}, chain(set), data, target.path(), {});
        CHECK(std::distance(std::filesystem::directory_iterator(target.path()), {}) == 1);
        give_to_mysql(data);
        std::filesystem::permissions(target.path(), std::filesystem::perms(0755));
        MariadbServer::Options options;
        options.datadir = data;
        MariadbServer again(options);
        return again.run_sql(checksums);
    }

    std::string why_full() const {
        const auto at = store();
        return plan_increment(host(), find_tool(config), *at).why_full;
    }

    MariadbServer database;
};

}  // namespace

TEST_CASE("a chain: each set of it restores to its own moment, and an idle server's increment is small") {
    ChainHost host;
    CHECK(host.why_full().find("no full backup that this host remembers") != std::string::npos);
    const auto first = host.increment();  // there is nothing to build on
    CHECK(first.kind == "full");
    std::vector<std::string> sets{first.set};
    std::vector<std::string> sums{host.database.run_sql(checksums)};

    const auto change = [&](const std::string& sql) {
        host.database.run_sql(sql);
        const auto made = host.increment();
        CHECK(made.kind == "incremental");
        sets.push_back(made.set);
        sums.push_back(host.database.run_sql(checksums));
        return made;
    };
    change("UPDATE shop.t SET b = 'changed' WHERE a % 100 = 0");
    change(
        "DELETE FROM shop.t WHERE a > 19000; CREATE TABLE shop.u (a INT) ENGINE=InnoDB; "
        "INSERT INTO shop.u VALUES (1)");
    const auto idle = change("");
    change("ALTER TABLE shop.t ADD COLUMN c INT DEFAULT 7; UPDATE shop.t SET c = a WHERE a < 100");

    const auto chain = host.chain(sets.back());
    REQUIRE(chain.size() == 5);
    for (std::size_t i = 0; i < chain.size(); ++i) CHECK(chain[i].set == sets[i]);
    for (std::size_t i = 1; i < chain.size(); ++i) {
        CHECK(chain[i].parent == sets[i - 1]);
        CHECK(chain[i].position.lsn_from == chain[i - 1].position.lsn_to);
    }
    // The pages of the rows are not in it again; what is left are the system's own tables (Aria).
    CHECK(idle.plain_bytes * 4 < first.plain_bytes);
    CHECK(chain[3].position.lsn_to.value() - chain[2].position.lsn_to.value() < idle_bytes);

    for (const std::size_t which : {0, 2, 4}) {
        INFO("set " << which);
        CHECK(host.restored(sets[which]) == sums[which]);
    }
}

TEST_CASE("a chain: whatever an increment rests on and is not so any more makes a full backup") {
    ChainHost host;
    const auto full = host.full();
    const auto second = host.increment();
    REQUIRE(second.kind == "incremental");
    REQUIRE(host.why_full().empty());
    const auto store = host.store();
    const auto contains = [&](const std::string& words) {
        INFO(host.why_full());
        CHECK(host.why_full().find(words) != std::string::npos);
        CHECK(host.increment().kind == "full");
        CHECK(host.why_full().empty());  // a new chain
    };

    SECTION("what was remembered is lost, or damaged") {
        std::filesystem::remove(host.state.path() / "chain.json");
        contains("no full backup that this host remembers");
        write_file_atomic(host.state.path() / "chain.json", "{\"store\": 1}");
        contains("cannot be read");
    }
    SECTION("a set of the chain is gone, or lost an object") {
        const auto key = backupset::segment_key(host.agent.server, full.set, 0);
        const Bytes kept(store->get(key, 4 << 20).view());
        store->remove(key);
        contains(key);
        store->put(key, kept);
        const auto next = host.increment();
        REQUIRE(next.kind == "incremental");
        const auto signature =
            backupset::manifest_signature_key(host.agent.server, *host.manifest(next.set).parent);
        store->remove(signature);
        contains("the chain is broken");
    }
    SECTION("a manifest of the chain was changed") {
        const auto key = backupset::manifest_key(host.agent.server, full.set);
        Bytes text(store->get(key, backupset::max_manifest).view());
        text[text.find("\"plain_total\"") + 16] ^= 1;
        store->put(key, text);
        contains("the chain is broken");
    }
    SECTION("the chain is long, or old") {
        host.config.max_chain_length = 1;
        contains("max-chain-length");
        host.config.max_chain_length = 30;
        auto state = *host.state.chain();
        state.begun -= 9 * 86'400'000LL;
        host.state.save(state);
        contains("max-chain-age");
    }
    SECTION("another tool, server, store, or other data files") {
        const auto with = [&](const std::string& words, const std::function<void(ChainState&)>& change) {
            auto state = *host.state.chain();
            change(state);
            host.state.save(state);
            contains(words);
        };
        with("another version of the backup tool",
             [](ChainState& one) { one.tool_version = "xtrabackup 8.0"; });
        with("is of another version", [](ChainState& one) { one.server_version = "8.0.36"; });
        with("are other ones", [](ChainState& one) { one.data_files = "1.2.3"; });
        with("in another store", [](ChainState& one) { one.store = "file:///elsewhere"; });
        with("before the", [](ChainState& one) { one.lsn = INT64_C(1) << 50; });
    }
    SECTION("a source that makes none refuses, and does not fill the store with dumps") {
        host.config.source = "mariadb-dump";
        try {
            host.increment();
            FAIL("a dump tool made an increment");
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::config);
            CHECK(error.text().find("makes no increments") != std::string::npos);
        }
    }
}

TEST_CASE("a chain: a damaged increment is named with the newest point that works, nothing skips a link") {
    ChainHost host;
    host.full();
    const auto one = host.increment();
    host.database.run_sql("UPDATE shop.t SET b = 'two'");
    const auto two = host.increment();
    const auto three = host.increment();
    const auto store = host.store();
    const gpg::Home home = gpg::Home::use(host.state.own_home());
    const auto restore_of = [&](const std::vector<backupset::Manifest>& chain) {
        const TempDir target({}, "srch");
        std::filesystem::create_directory(target.path() / "data");
        restore::restore_chain({*store, home, 0, {}}, chain, target.path() / "data", target.path(), {});
    };
    const auto error_of = [&](const std::vector<backupset::Manifest>& chain) {
        try {
            restore_of(chain);
        } catch (const Error& error) {
            return error;
        }
        FAIL("it was restored");
        throw 0;
    };

    auto chain = host.chain(three.set);
    SECTION("a segment of the second increment") {
        const auto key = backupset::segment_key(host.agent.server, two.set, 0);
        Bytes bytes(store->get(key, 4 << 20).view());
        bytes[bytes.size() / 2] ^= 1;
        store->put(key, bytes);
        const Error error = error_of(chain);
        CHECK(error.kind() == ErrorKind::corrupt);
        CHECK(error.text().find("increment " + two.set) != std::string::npos);
        CHECK(error.hint().find("--set " + one.set) != std::string::npos);
        restore_of(host.chain(one.set));
    }
    SECTION("an increment is left out: the tool is not even asked to read what is not there") {
        chain.erase(chain.begin() + 2);
        const Error error = error_of(chain);
        CHECK(error.text().find("increment " + three.set) != std::string::npos);
        CHECK(error.text().find("prepare failed") != std::string::npos);
    }
    SECTION("a manifest that lies about its LSN") {
        chain[2].position.lsn_from = *chain[2].position.lsn_from - 1;
        CHECK(error_of(chain).text().find("from_lsn") != std::string::npos);
    }
    SECTION("a parent that is gone") {
        store->remove(backupset::manifest_signature_key(host.agent.server, one.set));
        CHECK_THROWS_WITH(host.chain(three.set), Catch::Contains("builds on set " + one.set));
    }
}
