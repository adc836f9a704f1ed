#include "dispatcher/handler/restore_proofs.hpp"

#include <algorithm>

#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::size_t audited_text = 1500;

struct Objection {
    std::string why;  // empty: none
    bool for_good = true;
};

// Why the caller's proof of a set of server `uuid` does not count.
Objection objection(const Context& context, const std::string& uuid) {
    const Server& sender = context.server();
    if (uuid == sender.uuid) return {};
    const auto server = context.tx.find_server(uuid);
    // The same words for a server of somebody else, so that ids cannot be probed.
    if (!server || server->owner != sender.owner) return {"its user has no such server"};
    if (server->retired != 0) return {"that server is retired"};
    const auto named = context.tx.find_verifiers(uuid);
    if (!named || std::ranges::count(named->fingerprints, sender.identity) == 0)
        return {"that server does not name the identity key " + group_fingerprint(sender.identity) +
                    " as one that may prove its sets",
                false};
    return {};
}

void note_proof(const Context& context, const std::string& server, const proto::SetProof& proof) {
    // A host whose clock is ahead does not keep later proofs out.
    const auto time = std::min(proof.time, context.now_ms());
    const std::string by = server == context.server().uuid ? "" : context.server().uuid;
    if (!context.tx.put_restore_proof({server, proof.set, proof.proven, time, proof.text, by})) return;
    const std::string told = (by.empty() ? "" : "by server " + by + ": ") + proof.text;
    context.audit(proof.proven ? "set.proven" : "set.not_proven", server, printable_line(told, audited_text));
    if (!proof.proven) log_event(Level::warning, "DISPATCHER_SET_NOT_PROVEN", "server {}: {}", server, told);
}

}  // namespace

std::vector<proto::ProofOf> note_proofs(const Context& context, std::span<const proto::SetProof> proofs) {
    constexpr std::size_t named = 5;
    std::size_t refused = 0;
    std::string text;
    std::vector<proto::ProofOf> not_yet;
    for (const auto& proof : proofs) {
        const std::string server = proof.server.value_or(context.server().uuid);
        const auto [why, for_good] = objection(context, server);
        if (why.empty() && context.tx.knows_backup(server, proof.set)) {
            note_proof(context, server, proof);
            continue;
        }
        if (why.empty() || !for_good) not_yet.push_back({proof.set, proof.server});
        if (!why.empty() && refused++ < named)
            text += "; set " + proof.set + " of server " + server + ": " + why;
    }
    if (refused == 0) return not_yet;
    if (refused > named) text += "; ...";
    text = printable_line(std::to_string(refused) + " proof(s) left out" + text, audited_text);
    context.audit("proof.refused", context.server().uuid, text);
    log_event(Level::warning, "DISPATCHER_PROOF_REFUSED", "from server {}: {}", context.server().uuid, text);
    return not_yet;
}

void note_verifiers(const Context& context, std::vector<std::string> fingerprints) {
    std::ranges::sort(fingerprints);
    const std::string& server = context.server().uuid;
    const auto before = context.tx.find_verifiers(server);
    if (before && before->fingerprints == fingerprints) return;
    context.tx.put_verifiers({server, fingerprints});
    if (!before && fingerprints.empty()) return;
    std::string named;
    for (const auto& one : fingerprints) named += (named.empty() ? "" : ", ") + group_fingerprint(one);
    context.audit("agent.verifiers", server,
                  named.empty() ? "names no other host any more that may prove its sets"
                                : "names the hosts that may prove its sets: " + named);
}

}  // namespace strongroom::dispatcher
