// A verifying host proves another host's sets with a key of its own: real MariaDB, two hosts, one store. What
// the owner did not allow, or somebody tampered with, is "not tried", never proven.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "agent/job/job_store.hpp"
#include "agent/job/verify_run.hpp"
#include "agent/rotation/rotation.hpp"
#include "agent/verifiers/pins.hpp"
#include "agent/verifiers/subject.hpp"
#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/keys.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/mariadb_server.hpp"

namespace strongroom::agent {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using test::error_of;

// The source's backups are the output of a command, unless it has a database.
struct TwoHosts {
    TwoHosts() {
        source.config.source = "command";
        source.config.source_command = {"/bin/echo", "no database"};
        prover.config.source = "none";
        prover.config.verify.servers = {source.agent.server + " " + source.agent.identity};
        prover.config.verify.store = source.config.store;
        key_file = prover.folder.path() / "prover.asc";
        write_key();
    }
    ~TwoHosts() {
        if (fs::exists(source.state.verifier_home()))
            gpg::Home::use(source.state.verifier_home()).stop_daemons();
    }
    void write_key() const {
        std::ofstream(key_file) << gpg::export_public(gpg::Home::use(prover.state.own_home()),
                                                      prover.state.agent().identity);
    }
    void pin() const { pin_verifier(source.state, key_file, prover.agent.identity, source.clock); }
    std::string back_up(bool incremental = false) const {
        ::usleep(1'010'000);  // set ids are ordered by second
        const auto lock = source.state.lock_backup();
        return run_backup(source.host(), {{}, {}, {}, incremental}, lock, {}, {}).set;
    }
    ProofResult prove(const std::string& set = "latest") const {
        return prove_set(prover.host(), source.agent.server, set, {}, {});
    }
    // What nothing is known of by it, and nothing is remembered.
    void not_tried(const std::string& set, const std::string& text) const {
        INFO(set << ": " << text);
        const Error error = error_of([&] { prove(set); });
        INFO(error.text());
        CHECK(error.kind() == ErrorKind::config);
        CHECK_THAT(error.text(), Contains(text));
        CHECK_THAT(error.hint(), Contains("verifier add"));
        CHECK(remembered().find(set) == nullptr);
        CHECK_FALSE(prover.state.runs().proofs);
        CHECK(fs::is_empty(prover.config.proof.folder));
    }
    maintenance::VerificationLog remembered() const {
        return {prover.state.path() / "verified" / (source.agent.server + ".json"),
                source.agent.server,
                {source.agent.identity},
                {}};
    }
    std::string envelope_of(const std::string& set, const std::string& verifier) const {
        return backupset::envelope_key_for(verifier, source.agent.server, set);
    }
    bool has_envelope(const std::string& set) const {
        return source.store()->stat(envelope_of(set, prover.agent.identity)).has_value();
    }
    void corrupt(const std::string& key) const {
        auto bytes = Bytes(source.store()->get(key, 1U << 30U).view());
        bytes[bytes.size() / 2] ^= 1;
        source.store()->put(key, bytes);
    }
    // All sets that are there get one.
    backupset::VerifierEnvelopeResult add_envelopes() const {
        return backupset::add_verifier_envelopes(*source.store(), source.agent.server,
                                                 gpg::Home::use(source.state.own_home()),
                                                 pinned_verifiers(source.state).value());
    }

    test::RegisteredHost source;
    test::RegisteredHost prover;
    fs::path key_file;
};

struct WithDatabase : TwoHosts {
    WithDatabase() {
        server.run_sql(
            "CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders(id INT PRIMARY KEY, name VARCHAR(40));"
            "INSERT INTO shop.orders SELECT seq, CONCAT('order ', seq) FROM seq_1_to_500;");
        source.config.source = "mariadb-backup";
        source.config.source_command = {};
        source.config.mysql_option_file =
            server.option_file("backup",
                               "RELOAD, PROCESS, BINLOG MONITOR, SELECT, SHOW VIEW, TRIGGER, EVENT, "
                               "LOCK TABLES ON *.*");
        // Where the user of the private server may enter, also where the tests run as root.
        fs::permissions(server.folder(), fs::perms(0711));
        const auto folder = server.folder() / "proof";
        fs::create_directory(folder);
        fs::permissions(folder, fs::perms(0711));
        prover.config.proof.folder = folder;
    }
    test::MariadbServer server;
};

}  // namespace

TEST_CASE("verifying host: it proves what the other host stored, with its own key, whoever rotates") {
    WithDatabase site;
    site.pin();
    const auto full = site.back_up();
    site.server.run_sql("INSERT INTO shop.orders VALUES (1000, 'later')");
    const auto increment = site.back_up(true);

    // Its own key opens its own envelope, and nothing else does.
    const auto store = site.source.store();
    const gpg::Home own = gpg::Home::use(site.prover.state.own_home());
    const auto theirs = Bytes(store->get(site.envelope_of(full, ""), backupset::max_envelope).view());
    const auto ours =
        Bytes(store->get(site.envelope_of(full, site.prover.agent.identity), backupset::max_envelope).view());
    CHECK_THROWS_AS(backupset::open_envelope(own, theirs), Error);
    CHECK(backupset::open_envelope(own, ours).reveal() ==
          backupset::open_envelope(gpg::Home::use(site.source.state.own_home()), theirs).reveal());

    site.prover.config.verify.assertions = {site.source.agent.server +
                                            " SELECT COUNT(*) = 501 FROM shop.orders"};
    const auto newest = site.prove();
    REQUIRE(newest.proven());
    CHECK(newest.set == increment);
    CHECK_FALSE(newest.own);
    CHECK(newest.assertions == 1);
    CHECK(site.remembered().find(increment)->proven);
    // The dispatcher hears whose set it is; the source's own memory is its own.
    const auto told = site.prover.state.runs().proofs.value();
    REQUIRE(told.size() == 1);
    CHECK(told.front().server == site.source.agent.server);
    CHECK(told.front().set == increment);
    CHECK(told.front().proven);
    CHECK_FALSE(fs::exists(site.source.state.verified_file()));

    // The assertion of a server is its own, and fails its set.
    site.prover.config.verify.assertions = {site.source.agent.server + " SELECT 1 = 2"};
    const auto failed = site.prove();
    CHECK_FALSE(failed.proven());
    CHECK(failed.failed_step == "assert");
    CHECK(site.remembered().find(increment)->proof_failed);
    site.prover.config.verify.assertions = {};

    rotate(site.source.state, *store, site.source.clock, {});
    CHECK(site.prove(full).proven());
    rotate(site.prover.state, *site.prover.store(), site.prover.clock, {});
    CHECK(site.prove(full).proven());
    const auto after = site.back_up();  // still for the subkey that was pinned
    CHECK(site.prove(after).proven());
    site.write_key();
    site.pin();  // its newer self
    CHECK(pinned_verifiers(site.source.state)->identities.size() == 1);
    CHECK(site.prove(site.back_up()).proven());

    // Damage of the data is what a proof is for.
    site.corrupt(backupset::segment_key(site.source.agent.server, after, 0));
    const auto damaged = site.prove(after);
    CHECK_FALSE(damaged.proven());
    CHECK(damaged.failed_step == "extract");
}

TEST_CASE("verifying host: digests are verified without any envelope, and one bad server hides no other") {
    TwoHosts site;
    const auto set = site.back_up();
    test::RegisteredHost unknown;  // nothing of it is in the store
    auto& config = site.prover.config;
    config.verify.servers.insert(config.verify.servers.begin(),
                                 unknown.agent.server + " " + unknown.agent.identity);
    const auto servers = subjects_of(config, site.prover.state);
    CHECK(servers == std::vector{unknown.agent.server, site.source.agent.server});
    const auto verified = verify_servers(site.prover.host(), servers, {}, {});
    REQUIRE(verified.size() == 2);
    CHECK(verified[0].not_tried);
    CHECK_FALSE(verified[1].not_tried);
    REQUIRE(verified[1].verdict.sets.size() == 1);
    CHECK(verified[1].verdict.sets[0].good());
    CHECK(error_of([&] { require_verified(verified); }).kind() == ErrorKind::not_found);

    site.corrupt(backupset::segment_key(site.source.agent.server, set, 0));
    const auto again = verify_servers(site.prover.host(), servers, {}, {});
    const Error error = error_of([&] { require_verified(again); });
    CHECK(error.kind() == ErrorKind::corrupt);
    CHECK_THAT(error.text(), Contains(site.source.agent.server) && Contains(set));
    // A proof goes on to the next, and ends with what could not be tried.
    const auto proven = prove_servers(site.prover.host(), servers, "latest", {}, {});
    CHECK(proven.results.empty());
    CHECK(proven.not_tried.size() == 2);
    CHECK_THROWS_AS(require_proven(proven, one_line), Error);
}

TEST_CASE("verifying host: without an envelope of its own nothing is tried, and nothing is proven") {
    WithDatabase site;
    const auto before = site.back_up();
    site.not_tried(before, "cannot be opened");

    site.pin();
    site.not_tried(before, "cannot be opened");  // it was made before
    const auto set = site.back_up();
    CHECK(site.has_envelope(set));
    const std::string key = site.envelope_of(set, site.prover.agent.identity);
    const auto good = Bytes(site.source.store()->get(key, backupset::max_envelope).view());
    site.corrupt(key);
    site.not_tried(set, key);
    const gpg::Home pinned = gpg::Home::use(site.source.state.verifier_home());
    const auto subkey = gpg::find_key(pinned, site.prover.agent.identity).encryption_subkey()->fingerprint;
    site.source.store()->put(key, backupset::make_envelope(pinned, subkey, Secret("another passphrase")));
    site.not_tried(set, "do not open with the passphrase");
    site.source.store()->put(key, good);
    CHECK(site.prove(set).proven());

    const auto added = site.add_envelopes();
    CHECK(added.sets == 2);
    CHECK(added.changed == 2);
    CHECK(added.problems.empty());
    CHECK(site.prove(before).proven());

    unpin_verifier(site.source.state, site.prover.agent.identity);
    CHECK(error_of([&] { unpin_verifier(site.source.state, site.prover.agent.identity); }).kind() ==
          ErrorKind::not_found);
    const auto later = site.back_up();
    CHECK_FALSE(site.has_envelope(later));
    CHECK_THROWS_AS(site.prove(later), Error);
    const auto removed = backupset::remove_verifier_envelopes(*site.source.store(), site.source.agent.server,
                                                              site.prover.agent.identity);
    CHECK(removed.changed == 2);
    CHECK_FALSE(site.has_envelope(before));
    CHECK_FALSE(site.has_envelope(set));
    CHECK_THROWS_AS(site.prove(set), Error);
}

TEST_CASE("verifying host: only the server that its configuration pins is believed") {
    TwoHosts site;
    site.pin();
    const auto set = site.back_up();
    // A store that shows another key for the server.
    const auto good = site.prover.config.verify.servers;
    site.prover.config.verify.servers = {site.source.agent.server + " " + site.prover.agent.identity};
    const Error other = error_of([&] { site.prove(set); });
    INFO(other.text());
    CHECK((other.kind() == ErrorKind::refused || other.kind() == ErrorKind::crypto));
    CHECK_FALSE(site.prover.state.runs().proofs);
    site.prover.config.verify.servers = {};
    CHECK(error_of([&] { site.prove(set); }).kind() == ErrorKind::usage);

    const auto bad = [&](const std::string& text) {
        site.prover.config.verify.servers = {text};
        return error_of([&] { require_backup_settings(site.prover.config); }).kind();
    };
    CHECK(bad("shop-db-1") == ErrorKind::config);
    CHECK(bad(site.source.agent.server) == ErrorKind::config);
    CHECK(bad(site.source.agent.server + " 1234") == ErrorKind::config);
    site.prover.config.verify.servers = {good[0], good[0]};
    CHECK(error_of([&] { require_backup_settings(site.prover.config); }).kind() == ErrorKind::config);
    site.prover.config.verify.servers = good;
    site.prover.config.verify.assertions = {site.prover.agent.server + " SELECT 1"};
    CHECK(error_of([&] { require_backup_settings(site.prover.config); }).kind() == ErrorKind::config);

    // A host that backs up nothing does not, whoever asks.
    site.prover.config.verify.assertions = {};
    CHECK_NOTHROW(require_backup_settings(site.prover.config));
    CHECK(error_of([&] { site.prover.back_up(); }).kind() == ErrorKind::refused);
    // Its own key is no verifier of itself.
    CHECK(error_of([&] { pin_verifier(site.prover.state, site.key_file, {}, site.prover.clock); }).kind() ==
          ErrorKind::usage);
    CHECK(error_of([&] {
              pin_verifier(site.source.state, site.key_file, site.source.agent.identity, site.source.clock);
          }).kind() == ErrorKind::crypto);
}

TEST_CASE("verifying host: a key that has expired stops no backup") {
    TwoHosts site;
    site.pin();
    // As the source sees it: the pinned copy says that its subkey is over.
    const gpg::Home own = gpg::Home::use(site.prover.state.own_home());
    ::usleep(1'100'000);  // of two signatures of one second either may count
    gpg::expire_subkey(own, site.prover.agent.identity, site.prover.agent.subkey);
    ::usleep(2'500'000);  // its last second
    const auto run_gpg = [](const gpg::Home& home, std::vector<std::string> arguments,
                            const std::string& in) {
        SpawnOptions options;
        options.argv = {"gpg", "--homedir", home.path().string(), "--batch", "--quiet"};
        for (auto& argument : arguments) options.argv.push_back(std::move(argument));
        const auto answer = run_program(options, in);
        REQUIRE(answer.status.ok());
        return answer.out;
    };
    // Our own export leaves expired subkeys out.
    run_gpg(gpg::Home::use(site.source.state.verifier_home()), {"--import"},
            run_gpg(own, {"--export", site.prover.agent.identity}, {}));
    REQUIRE(gpg::find_key(gpg::Home::use(site.source.state.verifier_home()), site.prover.agent.identity)
                .encryption_subkey() == nullptr);
    const auto set = site.back_up();
    CHECK_FALSE(site.has_envelope(set));
    CHECK(site.source.listed() == std::vector{set});
}

}  // namespace strongroom::agent
