#include "common/backupset/layout.hpp"

#include <catch2/catch.hpp>

#include "common/backupset/store_root.hpp"
#include "common/base/error.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/memory_store.hpp"

using namespace strongroom;
using namespace strongroom::backupset;

namespace {
const std::string server = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
const std::string set = "20261122T013700Z-3f9a2c1b";
const std::string fingerprint(40, 'A');
}  // namespace

TEST_CASE("keys are as the format says") {
    CHECK(agent_key_key(server) == server + "/agent.asc");
    CHECK(recovery_text_key(server) == server + "/RECOVERY.txt");
    CHECK(escrow_key(server, fingerprint) == server + "/escrow/" + fingerprint + ".gpg");
    CHECK(envelope_key(server, set) == server + "/sets/" + set + "/envelope.gpg");
    CHECK(segment_key(server, set, 0) == server + "/sets/" + set + "/data/000000.gpg");
    CHECK(segment_key(server, set, 399999) == server + "/sets/" + set + "/data/399999.gpg");
    CHECK(manifest_key(server, set) == server + "/sets/" + set + "/manifest.json");
    CHECK(manifest_signature_key(server, set) == server + "/sets/" + set + "/manifest.json.sig");
    storage::require_valid_key(segment_key(server, set, 7));
}

TEST_CASE("only ids become parts of keys") {
    CHECK_THROWS_AS(agent_key_key("../other"), Error);
    CHECK_THROWS_AS(set_prefix(server, "latest"), Error);
    CHECK_THROWS_AS(set_prefix(server, "../../x"), Error);
    CHECK_THROWS_AS(escrow_key(server, "ABCD1234"), Error);
}

TEST_CASE("the store root is written once and kept in step") {
    test::MemoryStore memory;
    test::FaultyStore store(memory);
    write_store_root(store, server, fingerprint, "PUBLIC KEY");
    CHECK(store.puts() == 2);
    write_store_root(store, server, fingerprint, "PUBLIC KEY");
    CHECK(store.puts() == 2);
    write_store_root(store, server, fingerprint, "PUBLIC KEZ");
    CHECK(store.puts() == 3);
    CHECK(read_agent_key(store, server) == "PUBLIC KEZ");
    CHECK(memory.objects().at(recovery_text_key(server)) == recovery_text(server, fingerprint));
    memory.put("6f9619ff-8b86-4011-b42d-00c04fc96400/RECOVERY.txt", "no key");
    memory.put("lost-and-found/agent.asc", "x");
    CHECK(list_servers(store) == std::vector<std::string>{server});
}

TEST_CASE("escrow records are read back, and listed by subkey") {
    test::MemoryStore memory;
    write_escrow_record(memory, server, fingerprint, "RECORD");
    memory.put(escrow_prefix(server) + "notes.txt", "x");
    const auto records = read_escrow_records(memory, server);
    REQUIRE(records.size() == 1);
    CHECK(records[0].subkey == fingerprint);
    CHECK(records[0].record == "RECORD");

    struct LyingStore : test::MemoryStore {
        void put(const std::string& key, BytesView bytes) override {
            MemoryStore::put(key, bytes.substr(0, bytes.size() - 1));
        }
    } lying;
    CHECK_THROWS_AS(write_escrow_record(lying, server, fingerprint, "RECORD"), Error);
}

TEST_CASE("the recovery text names its server and has its commands between marker lines") {
    const std::string text = recovery_text(server, fingerprint);
    CHECK(text.find("@SERVER@") == std::string::npos);
    CHECK(text.find("@IDENTITY@") == std::string::npos);
    CHECK(text.find(server) != std::string::npos);
    CHECK(text.find(fingerprint) != std::string::npos);
    CHECK(text.find("strongroom restore") == std::string::npos);  // it must not need the project's programs
    for (const char* marker : {"cp", "sftp", "rclone", "curl", "commands"}) {
        INFO(marker);
        const std::string line = "\n----8<---- " +
                                 std::string(marker == std::string("commands") ? "" : "copy with ") + marker +
                                 "\n";
        const auto first = text.find(line);
        REQUIRE(first != std::string::npos);
        CHECK(text.find(line, first + 1) == std::string::npos);
        CHECK(text.find("\n----8<---- end\n", first) < text.find("\n----8<---- ", first + 1) + 1);
    }
    CHECK_THROWS_AS(recovery_text("x; rm -rf /", fingerprint), Error);
    CHECK_THROWS_AS(recovery_text(server, "$(id)"), Error);
}
