#include "common/backupset/store_root.hpp"

#include "common/backupset/layout.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::backupset {
namespace {

constexpr std::size_t max_root_object = 256U << 10U;  // a key, a text, an escrow record: far smaller

std::optional<Bytes> read_if_there(storage::ObjectStore& store, const std::string& key) {
    try {
        return Bytes(store.get(key, max_root_object).view());
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::not_found) return std::nullopt;
        throw;
    }
}

// Who may only put cannot look, and puts.
void put_if_different(storage::ObjectStore& store, const std::string& key, BytesView bytes) {
    try {
        const auto info = store.stat(key);
        if (info && info->size == bytes.size() && read_if_there(store, key) == bytes) return;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::forbidden) throw;
    }
    store.put(key, bytes);
}

}  // namespace

void write_store_root(storage::ObjectStore& store, const std::string& server, const std::string& identity,
                      const std::string& agent_public_key) {
    put_if_different(store, agent_key_key(server), agent_public_key);
    put_if_different(store, recovery_text_key(server), recovery_text(server, identity));
}

bool write_escrow_record(storage::ObjectStore& store, const std::string& server, const std::string& subkey,
                         BytesView record) {
    const std::string key = escrow_key(server, subkey);
    store.put(key, record);
    std::optional<Bytes> back;
    try {
        back = read_if_there(store, key);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::forbidden) return false;
        throw;
    }
    if (back != record)
        throw Error(
            ErrorKind::storage, "the escrow record " + key + " reads back with other bytes",
            "Check the store " + store.label() + "; without this record its backups cannot be opened.");
    return true;
}

std::optional<Bytes> read_escrow_record(storage::ObjectStore& store, const std::string& server,
                                        const std::string& subkey) {
    try {
        return read_if_there(store, escrow_key(server, subkey));
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::forbidden) return std::nullopt;
        throw;
    }
}

void keep_escrow_record(storage::ObjectStore& store, const std::string& server, const std::string& subkey,
                        std::int64_t sequence, BytesView record) {
    const std::string key = replaced_escrow_key(server, subkey, sequence);
    if (!store.stat(key)) store.put(key, record);
}

std::vector<EscrowRecord> read_escrow_records(storage::ObjectStore& store, const std::string& server) {
    const std::string prefix = escrow_prefix(server);
    std::vector<EscrowRecord> out;
    for (const auto& object : store.list(prefix)) {
        const std::string name = object.key.substr(prefix.size());
        if (name.size() != 44 || !name.ends_with(".gpg") || !is_fingerprint(name.substr(0, 40))) continue;
        out.push_back({name.substr(0, 40), Bytes(store.get(object.key, max_root_object).view())});
    }
    return out;
}

Bytes read_agent_key(storage::ObjectStore& store, const std::string& server) {
    return Bytes(store.get(agent_key_key(server), gpg::max_public_key).view());
}

std::vector<std::string> list_servers(storage::ObjectStore& store) {
    std::vector<std::string> out;
    for (const std::string& name : store.list_folders(""))
        if (is_uuid(name) && store.stat(agent_key_key(name))) out.push_back(name);
    return out;
}

}  // namespace strongroom::backupset
