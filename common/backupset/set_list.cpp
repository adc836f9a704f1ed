#include "common/backupset/set_list.hpp"

#include <algorithm>

#include "common/backupset/layout.hpp"
#include "common/backupset/segment_reader.hpp"
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

MemFile get_signature(storage::ObjectStore& store, const std::string& server, const std::string& set) {
    try {
        return store.get(manifest_signature_key(server, set), max_signature);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::corrupt) throw untrusted(ErrorKind::corrupt, set, error.text());
        if (error.kind() != ErrorKind::not_found) throw;
        throw Error(ErrorKind::not_found,
                    "there is no set " + set + " of server " + server + " in " + store.label(),
                    "`strongroom backup list` shows the sets that are there.");
    }
}

// A committed set needs both objects; one that has only a signature was damaged.
MemFile get_manifest(storage::ObjectStore& store, const std::string& server, const std::string& set) {
    try {
        return store.get(manifest_key(server, set), max_manifest);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::not_found || error.kind() == ErrorKind::corrupt)
            throw untrusted(ErrorKind::corrupt, set, error.text());
        throw;
    }
}

}  // namespace

std::vector<std::string> set_folders(storage::ObjectStore& store, const std::string& server) {
    auto out = store.list_folders(sets_prefix(server));
    std::erase_if(out, [](const std::string& name) { return !is_set_id(name); });
    return out;
}

std::vector<std::string> log_folders(storage::ObjectStore& store, const std::string& server) {
    auto out = store.list_folders(logs_prefix(server));
    std::erase_if(out, [](const std::string& name) { return !is_log_id(name); });
    return out;
}

std::vector<std::string> all_folders(storage::ObjectStore& store, const std::string& server) {
    auto out = set_folders(store, server);
    for (auto& log : log_folders(store, server)) out.push_back(std::move(log));
    return out;
}

bool is_committed(storage::ObjectStore& store, const std::string& server, const std::string& set) {
    const std::string key = manifest_signature_key(server, set);
    try {
        return store.stat(key).has_value();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::forbidden) throw;
    }
    // Who may list, and read envelopes alone.
    const auto objects = store.list(set_prefix(server, set));
    return std::ranges::find(objects, key, &storage::ObjectInfo::key) != objects.end();
}

std::vector<std::string> committed_sets(storage::ObjectStore& store, const std::string& server) {
    auto out = set_folders(store, server);
    std::erase_if(out, [&](const std::string& set) { return !is_committed(store, server, set); });
    return out;
}

std::vector<std::string> committed_logs(storage::ObjectStore& store, const std::string& server) {
    auto out = log_folders(store, server);
    std::erase_if(out, [&](const std::string& log) { return !is_committed(store, server, log); });
    return out;
}

std::optional<std::string> newest_committed(storage::ObjectStore& store, const std::string& server) {
    const auto sets = set_folders(store, server);
    const auto newest = std::find_if(
        sets.rbegin(), sets.rend(), [&](const std::string& set) { return is_committed(store, server, set); });
    if (newest == sets.rend()) return std::nullopt;
    return *newest;
}

Manifest read_manifest(storage::ObjectStore& store, const std::string& server, const std::string& set,
                       const gpg::Home& verify_home, const std::string& identity, std::string* sha256) {
    return read_manifest(store, server, set, Signers(verify_home, identity), sha256);
}

Manifest read_manifest(storage::ObjectStore& store, const std::string& server, const std::string& set,
                       const Signers& signers, std::string* sha256) {
    const MemFile signature = get_signature(store, server, set);
    const MemFile text = get_manifest(store, server, set);
    if (sha256 != nullptr) *sha256 = sha256_hex(text.view());
    try {
        const auto by = gpg::verify_detached_by_one_of(signers.home, signers.fingerprints(), signature.view(),
                                                       text.view());
        if (!signers.may_sign(by.primary, set))
            throw Error(ErrorKind::crypto,
                        "it is by " + group_fingerprint(by.primary) +
                            ", which was the identity key until before this set was begun");
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
    return list_sets(store, server, Signers(verify_home, identity));
}

std::vector<SetInfo> list_sets(storage::ObjectStore& store, const std::string& server,
                               const Signers& signers) {
    std::vector<SetInfo> out;
    for (const std::string& set : committed_sets(store, server)) {
        std::string sha256;
        try {
            auto manifest = read_manifest(store, server, set, signers, &sha256);
            out.push_back({set, std::move(manifest), "", false, sha256});
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::not_found) continue;  // removed meanwhile
            if (error.kind() == ErrorKind::tool_missing) throw;
            out.push_back({set, std::nullopt, error.text(), !is_about_the_data(error.kind()), sha256});
        }
    }
    return out;
}

}  // namespace strongroom::backupset
