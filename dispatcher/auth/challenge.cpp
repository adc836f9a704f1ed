#include "dispatcher/auth/challenge.hpp"

#include <algorithm>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "proto/proof_messages.hpp"

namespace strongroom::dispatcher {
namespace {

// The subkey in use first, if it is in escrow: without it there is nothing to prove.
std::vector<std::string> escrowed_subkeys(Transaction& tx, const Server& server) {
    std::vector<std::string> out{server.subkey};
    bool in_use = false;
    for (const auto& record : tx.list_escrow(server.uuid)) {
        in_use = in_use || record.subkey == server.subkey;
        if (std::ranges::find(out, record.subkey) == out.end() && out.size() < proto::max_challenges)
            out.push_back(record.subkey);
    }
    if (!in_use) out.clear();
    return out;
}

}  // namespace

ChallengeDraft draft_challenge(Store& store, const Admission& caller, const std::string& uuid) {
    std::optional<Server> server;
    std::vector<std::string> subkeys;
    store.read([&](Transaction& tx) {
        server = tx.find_server(uuid);
        if (server && caller.user && server->owner == caller.user->fingerprint)
            subkeys = escrowed_subkeys(tx, *server);
    });
    ChallengeDraft out;
    if (subkeys.empty()) return out;
    out.id = random_uuid();
    out.public_key = server->public_key;
    const gpg::TempHome home(gpg::HomeFor::public_keys);
    const gpg::Key key = gpg::import_public_key(home.home(), server->public_key, server->identity);
    for (const auto& subkey : subkeys) {
        const auto known = std::ranges::find(key.subkeys, subkey, &gpg::Subkey::fingerprint);
        if (known == key.subkeys.end() || !known->can_encrypt || !known->usable) {
            if (subkey == server->subkey) break;
            continue;
        }
        const std::string text = proto::ChallengeText{server->uuid, subkey, caller.user->fingerprint, out.id,
                                                      to_hex(random_bytes(32))}
                                     .text();
        out.items.push_back(
            {subkey, sha256_hex(text), to_base64(gpg::encrypt_to_subkey(home.home(), subkey, text))});
    }
    return out;
}

}  // namespace strongroom::dispatcher
