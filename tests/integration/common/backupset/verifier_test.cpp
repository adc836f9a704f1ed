#include "common/backupset/verifier.hpp"

#include <catch2/catch.hpp>

#include "common/backupset/chain.hpp"
#include "common/base/encoding.hpp"
#include "common/gpg/message.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace strongroom::backupset;
using namespace strongroom::test;

namespace {

struct Look : SetBench {
    Manifest manifest = seal(random_bytes(20 * 4096));
    SetVerdict verdict(storage::ObjectStore& from, int workers = 3) {
        return verify_committed({workers}, from, server, manifest.set, {home(), identity});
    }
    SetVerdict verdict() { return verdict(store); }
    Bytes& object(const std::string& key) { return store.objects().at(key); }
    std::string segment(std::int64_t index) { return segment_key(server, manifest.set, index); }
    // The same manifest as another would sign it.
    void resign(const gpg::Home& home, const std::string& signer, const Manifest& text) {
        object(manifest_key(server, manifest.set)) = encode_manifest(text);
        object(manifest_signature_key(server, manifest.set)) =
            gpg::sign_detached(home, signer, object(manifest_key(server, manifest.set)));
    }
};

}  // namespace

TEST_CASE("verification: a whole set is good, whatever the number of workers") {
    Look look;
    for (const int workers : {0, 1, 2, 7, 64}) {
        std::int64_t last = 0;
        const auto verdict = verify_committed({workers}, look.store, look.server, look.manifest.set,
                                              {look.home(), look.identity},
                                              [&](const Progress& now) { last = now.plain_bytes; });
        CHECK(verdict.good());
        CHECK(last == 20 * 4096);
        REQUIRE(verdict.manifest);
        CHECK(verdict.manifest_sha256 ==
              sha256_hex(look.object(manifest_key(look.server, look.manifest.set))));
    }
    CHECK(committed_sets(look.store, look.server) == std::vector<std::string>{look.manifest.set});
}

TEST_CASE("verification: all that is wrong is found in one look, and named") {
    Look look;
    look.object(look.segment(3))[100] ^= 1;
    look.object(look.segment(7)).pop_back();
    look.object(look.segment(9)) = look.object(look.segment(10));
    look.store.objects().erase(look.segment(12));
    look.store.objects().erase(envelope_key(look.server, look.manifest.set));
    const auto verdict = look.verdict();
    REQUIRE(verdict.flaws == 5);
    REQUIRE(verdict.findings.size() == 5);
    const std::vector<std::pair<Flaw, std::string>> expected{
        {Flaw::damaged, look.segment(3)},
        {Flaw::damaged, look.segment(7)},
        {Flaw::damaged, look.segment(9)},
        {Flaw::missing, look.segment(12)},
        {Flaw::missing, envelope_key(look.server, look.manifest.set)}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        INFO(verdict.findings[i].text);
        CHECK(verdict.findings[i].flaw == expected[i].first);
        CHECK(verdict.findings[i].object == expected[i].second);
    }
    CHECK(verdict.worst == Flaw::damaged);
    CHECK(verdict.manifest.has_value());
}

TEST_CASE("verification: more flaws than are listed are still counted") {
    Look look;
    look.manifest = look.seal(random_bytes(150 * 64), look.options(64));
    for (std::int64_t i = 0; i < 150; ++i) look.store.objects().erase(look.segment(i));
    const auto verdict = look.verdict();
    CHECK(verdict.flaws == 150);
    CHECK(verdict.findings.size() == max_findings);
}

TEST_CASE("verification: a manifest that the server's key did not sign is untrusted, a lost one missing") {
    Look look;
    const Bytes manifest = look.object(manifest_key(look.server, look.manifest.set));
    const Bytes signature = look.object(manifest_signature_key(look.server, look.manifest.set));

    look.object(manifest_key(look.server, look.manifest.set)).back() = ' ';
    CHECK(look.verdict().worst == Flaw::untrusted);

    const gpg::TempHome other;
    const auto stranger = gpg::generate_key(other.home(), "stranger@test.invalid", "ed25519");
    look.resign(other.home(), stranger, look.manifest);
    CHECK(look.verdict().worst == Flaw::untrusted);

    auto foreign = look.manifest;  // well signed, of another set
    foreign.set = look.next_set();
    look.resign(look.home(), look.identity, foreign);
    CHECK(look.verdict().worst == Flaw::untrusted);

    look.object(manifest_key(look.server, look.manifest.set)) = manifest;
    look.object(manifest_signature_key(look.server, look.manifest.set)) = signature;
    CHECK(look.verdict().good());
    look.store.objects().erase(manifest_key(look.server, look.manifest.set));
    const auto lost = look.verdict();
    CHECK(lost.worst == Flaw::missing);
    CHECK_FALSE(lost.manifest);
    CHECK(lost.manifest_sha256.empty());
}

TEST_CASE("verification: a store that does not answer is an error, not a finding") {
    Look look;
    FaultyStore faulty(look.store);
    faulty.fail_get = look.segment(5);
    try {
        look.verdict(faulty);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::storage);
        CHECK(error.text().find(look.segment(5)) != std::string::npos);
    }
    CHECK_THROWS_AS(
        verify_committed({2}, look.store, look.server, look.manifest.set, {look.home(), look.identity},
                         [](const Progress&) { throw Error(ErrorKind::interrupted, "enough"); }),
        Error);
}

TEST_CASE("chains: an increment needs all that it builds on, each beginning where the one before ends") {
    const auto set = [](const char* id, const char* parent, std::int64_t from, std::int64_t to) {
        Manifest out;
        out.set = id;
        out.kind = parent == nullptr ? "full" : "incremental";
        if (parent != nullptr) out.parent = parent;
        if (parent != nullptr) out.position.lsn_from = from;
        out.position.lsn_to = to;
        return out;
    };
    std::map<std::string, Manifest> trusted{
        {"a", set("a", nullptr, 0, 10)}, {"b", set("b", "a", 10, 20)}, {"c", set("c", "b", 20, 30)}};
    for (const char* one : {"a", "b", "c"}) CHECK(chain_problem(trusted, one).empty());
    trusted["b"].position.lsn_from = 11;
    CHECK(chain_problem(trusted, "c").find("set b does not begin at the LSN where a ends") !=
          std::string::npos);
    trusted.erase("a");
    trusted["b"].position.lsn_from = 10;
    CHECK(chain_problem(trusted, "c").find("set a, on which b builds, is missing") != std::string::npos);
    trusted["b"].parent = "c";
    trusted["b"].position.lsn_from = 30;
    CHECK(chain_problem(trusted, "c").find("builds on itself") != std::string::npos);
    trusted["b"].parent.reset();
    CHECK(chain_problem(trusted, "b").find("without a parent") != std::string::npos);
    CHECK_FALSE(chain_problem(trusted, "z").empty());
}

TEST_CASE("verification: the worst flaw is the worst of all, also beyond those that are listed") {
    Look look;
    look.manifest = look.seal(random_bytes(150 * 64), look.options(64));
    for (std::int64_t i = 0; i < 149; ++i) look.store.objects().erase(look.segment(i));
    look.object(look.segment(149))[50] ^= 1;
    const auto verdict = look.verdict(look.store, 1);
    CHECK(verdict.flaws == 150);
    CHECK(verdict.worst == Flaw::damaged);
    CHECK(std::string(verdict.result()) == "damaged");
}

TEST_CASE("a listing tells a set that cannot be trusted from one that cannot be read now") {
    Look look;
    FaultyStore faulty(look.store);
    faulty.fail_get = manifest_key(look.server, look.manifest.set);
    const auto unread = list_sets(faulty, look.server, look.home(), look.identity);
    REQUIRE(unread.size() == 1);
    CHECK_FALSE(unread.front().manifest);
    CHECK(unread.front().unreadable);
    look.object(manifest_key(look.server, look.manifest.set)).back() = ' ';
    const auto changed = look.list();
    REQUIRE(changed.size() == 1);
    CHECK_FALSE(changed.front().manifest);
    CHECK_FALSE(changed.front().unreadable);
}
