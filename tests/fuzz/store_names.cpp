// Names and objects of a store that somebody else may write: listings of servers, sets and escrow records.
#include <filesystem>

#include "common/backupset/layout.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/ids.hpp"
#include "common/storage/local_store.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/memory_store.hpp"

namespace strongroom::fuzz {
namespace {

void check_key(const std::string& key) {
    if (!accepts([&] { storage::require_valid_key(key); })) return;
    const std::filesystem::path root = "/r/o/o/t";
    const auto inside = (root / key).lexically_normal();
    require(inside.string() == root.string() + "/" + key,
            "a valid key stays below the root, as it is written");
}

void check_ids(const std::string& name) {
    if (is_uuid(name)) {
        storage::require_valid_key(backupset::agent_key_key(name));
        storage::require_valid_key(backupset::sets_prefix(name) + "x");
    }
    const std::string server = "11111111-1111-4111-8111-111111111111";
    for (auto* make : {backupset::set_prefix, backupset::escrow_key}) {
        std::string key;
        if (!accepts([&] { key = make(server, name); })) continue;
        require(key.starts_with(server) && key.find("..") == std::string::npos, "ids lead nowhere else");
    }
}

}  // namespace

void fuzz(BytesView input) {
    Front front(input);
    test::MemoryStore store;
    std::string last;
    while (!front.empty()) {  // objects: length of the name, name, length of the bytes, bytes
        const std::string key(front.take(front.byte()));
        const Bytes bytes(front.take(front.byte()));
        check_key(key);
        check_ids(key);
        store.objects()[key] = bytes;
    }
    std::vector<std::string> servers;
    accepts([&] { servers = backupset::list_servers(store); });
    for (const auto& server : servers) {
        require(is_uuid(server), "a server is a UUID");
        accepts([&] {
            for (const auto& record : backupset::read_escrow_records(store, server))
                require(is_fingerprint(record.subkey), "a record is named by a full fingerprint");
        });
        accepts([&] { backupset::read_agent_key(store, server); });
        for (const auto& set : store.list_folders(backupset::sets_prefix(server)))
            if (is_set_id(set)) storage::require_valid_key(backupset::manifest_key(server, set));
    }
}

}  // namespace strongroom::fuzz
