#include "common/backupset/identity_objects.hpp"

#include <fmt/format.h>

#include <map>

#include "common/backupset/layout.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::backupset {
namespace {

constexpr std::size_t max_object = 256U << 10U;
constexpr std::size_t most_objects = 6 * static_cast<std::size_t>(max_identity_changes);

void put(storage::ObjectStore& store, const std::string& key, BytesView bytes) {
    store.put(key, bytes);
    try {
        if (store.get(key, max_object).view() == bytes) return;
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::forbidden) return;
        if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::corrupt) throw;
    }
    throw Error(ErrorKind::storage, key + " reads back with other bytes than were written",
                "Check the store " + store.label() + ".");
}

void put_both(storage::ObjectStore& store, const IdentityChange& change, const IdentityStatement& claim) {
    put(store, identity_change_key(claim.server, claim.sequence, "current.gpg"), change.current);
    put(store, identity_change_key(claim.server, claim.sequence, "next.gpg"), change.next);
}

}  // namespace

ShownIdentities read_identities(storage::ObjectStore& store, const std::string& server) {
    ShownIdentities out;
    out.server = server;
    out.origin = store.label();
    out.public_key = read_agent_key(store, server);
    const std::string prefix = identity_prefix(server);
    std::map<std::string, Bytes> parts;
    for (const auto& object : store.list(prefix)) {
        const std::string name = object.key.substr(prefix.size());
        const bool key = name.size() == 44 && name.ends_with(".asc") && is_fingerprint(name.substr(0, 40));
        const bool part = name.size() > 5 && name[4] == '-' && name.find_first_not_of("0123456789") == 4;
        if ((!key && !part) || parts.size() + out.keys.size() >= most_objects) continue;
        Bytes bytes(store.get(object.key, max_object).view());
        if (key)
            out.keys.push_back(std::move(bytes));
        else
            parts.emplace(name, std::move(bytes));
    }
    const auto part = [&](std::int64_t number, const char* what) {
        const auto found = parts.find(fmt::format("{:04}-{}", number, what));
        return found == parts.end() ? Bytes() : found->second;
    };
    // The approval commits a change. One that is missing shows as a gap.
    std::int64_t last = 0;
    for (std::int64_t i = 1; i <= max_identity_changes; ++i)
        if (!part(i, "approval.gpg").empty()) last = i;
    for (std::int64_t i = 1; i <= last; ++i)
        out.changes.push_back(
            {part(i, "current.gpg"), part(i, "next.gpg"), part(i, "approval.gpg"), part(i, "approver.asc")});
    if (Bytes pending = part(last + 1, "current.gpg"); !pending.empty())
        out.pending = IdentityChange{std::move(pending), part(last + 1, "next.gpg"), {}, {}};
    return out;
}

void write_pending_identity(storage::ObjectStore& store, const IdentityChange& change) {
    put_both(store, change, claim_of(change));
}

void write_identity_change(storage::ObjectStore& store, const IdentityChange& change, BytesView former_key) {
    const auto claim = claim_of(change);
    put(store, identity_key_key(claim.server, claim.current), former_key);
    put(store, identity_key_key(claim.server, claim.next), claim.public_key);
    put_both(store, change, claim);
    put(store, identity_change_key(claim.server, claim.sequence, "approver.asc"), change.approver_key);
    put(store, identity_change_key(claim.server, claim.sequence, "approval.gpg"), change.approval);
}

Signers signers_of(const Identities& identities) {
    std::vector<Signers::Key> keys;
    for (const auto& member : identities.members()) {
        keys.push_back({member.fingerprint, {}});
        if (member.until) keys.back().until = from_millis(*member.until);
    }
    Signers out(identities.home(), std::move(keys));
    out.owner = identities.owner();
    return out;
}

}  // namespace strongroom::backupset
