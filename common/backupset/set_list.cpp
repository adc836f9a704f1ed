// Which sets a store holds, and whether they can be trusted.
#include "common/backupset/layout.hpp"
#include "common/backupset/opener.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::backupset {
namespace {

constexpr std::size_t max_signature = 64U << 10U;

Error untrusted(ErrorKind kind, const std::string& set, const std::string& reason) {
    return Error(kind, "set " + set + " cannot be trusted: " + reason,
                 "Restore another set with --set, or copy this set from another copy of the store.");
}

// A committed set needs both objects; one that has only a signature was damaged.
MemFile get_part(storage::ObjectStore& store, const std::string& set, const std::string& key,
                 std::size_t max) {
    try {
        return store.get(key, max);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::not_found || error.kind() == ErrorKind::corrupt)
            throw untrusted(ErrorKind::corrupt, set, error.text());
        throw;
    }
}

}  // namespace

Manifest read_manifest(storage::ObjectStore& store, const std::string& server, const std::string& set,
                       const gpg::Home& verify_home, const std::string& identity, std::string* sha256) {
    const std::string signature_key = manifest_signature_key(server, set);
    if (!store.stat(signature_key))
        throw Error(ErrorKind::not_found,
                    "there is no set " + set + " of server " + server + " in " + store.label(),
                    "`strongroom backup list` shows the sets that are there.");
    const MemFile signature = get_part(store, set, signature_key, max_signature);
    const MemFile text = get_part(store, set, manifest_key(server, set), max_manifest);
    if (sha256 != nullptr) *sha256 = sha256_hex(text.view());
    try {
        gpg::verify_detached(verify_home, identity, signature.view(), text.view());
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::tool_missing) throw;
        throw untrusted(error.kind(), set, "the manifest's signature: " + error.text());
    }
    Manifest manifest;
    try {
        manifest = decode_manifest(text.view());
    } catch (const Error& error) {
        const Error reason = untrusted(error.kind(), set, error.text());
        throw Error(reason.kind(), reason.text(), error.hint().empty() ? reason.hint() : error.hint());
    }
    if (manifest.server != server || manifest.set != set)
        throw untrusted(ErrorKind::corrupt, set,
                        "its manifest belongs to set " + manifest.set + " of server " + manifest.server);
    return manifest;
}

std::vector<SetInfo> list_sets(storage::ObjectStore& store, const std::string& server,
                               const gpg::Home& verify_home, const std::string& identity) {
    std::vector<SetInfo> out;
    for (const std::string& set : store.list_folders(sets_prefix(server))) {
        if (!is_set_id(set) || !store.stat(manifest_signature_key(server, set))) continue;
        std::string sha256;
        try {
            auto manifest = read_manifest(store, server, set, verify_home, identity, &sha256);
            out.push_back({set, std::move(manifest), "", sha256});
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::not_found) continue;  // removed meanwhile
            if (error.kind() == ErrorKind::tool_missing) throw;
            out.push_back({set, std::nullopt, error.text(), sha256});
        }
    }
    return out;
}

}  // namespace strongroom::backupset
