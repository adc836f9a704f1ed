// Proof of recovery: a challenge to the escrowed subkeys, and its answer by the user who opened it.
#include <algorithm>
#include <set>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "dispatcher/auth/challenge.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "dispatcher/handler/recoverable.hpp"

namespace strongroom::dispatcher {
namespace {

// A person may have to find a smartcard and type its PIN.
constexpr std::chrono::minutes challenge_lifetime{10};
constexpr std::chrono::milliseconds kept = std::chrono::hours(24);  // after its end: to tell what it was

[[noreturn]] void refuse(const std::string& text) {
    throw Error(ErrorKind::refused, text, "Ask for a new one: strongroom prove");
}

// The challenge as it was made for this user and this server, still open.
std::vector<EscrowChallenge> open_challenge(const Context& context, const proto::EscrowProve& input) {
    auto items = context.tx.find_challenges(input.challenge);
    for (const auto& item : items) {
        if (item.server != input.server || item.user != context.user().fingerprint) items.clear();
        if (items.empty()) break;
        if (item.used != 0) refuse("this challenge was answered before");
        if (item.expires <= context.now_ms()) refuse("this challenge has expired");
    }
    if (items.empty()) refuse("there is no such challenge of yours for this server");
    return items;
}

}  // namespace

proto::EscrowChallenge::Reply escrow_challenge(const Context& context, const proto::EscrowChallenge& input) {
    const Server server = owned_server(context, input.server);
    const ChallengeDraft* draft = context.challenge;
    if (draft == nullptr || draft->items.empty())
        throw Error(ErrorKind::refused,
                    "there is nothing to prove: no decryption subkey in use of server " + server.uuid +
                        " is in escrow",
                    "On the host: strongroom-agent escrow");
    if (draft->public_key != server.public_key)
        throw Error(ErrorKind::busy, "the server's key changed just now", "Try again.");
    context.tx.forget_challenges(context.now_ms() - kept.count());
    proto::EscrowChallenge::Reply reply;
    reply.challenge = draft->id;
    reply.expires = to_millis(context.now + challenge_lifetime);
    for (const auto& item : draft->items) {
        const auto record = newest_record(context.tx, server.uuid, item.subkey);
        if (!record) continue;
        context.tx.add_challenge({draft->id, server.uuid, context.user().fingerprint, item.subkey,
                                  item.digest, context.now_ms(), reply.expires, 0});
        reply.items.push_back({item.subkey, item.message, record->sha256});
    }
    context.audit("escrow.challenge", server.uuid,
                  "challenge " + draft->id + " for " + std::to_string(reply.items.size()) + " subkey(s)");
    return reply;
}

proto::EscrowProve::Reply escrow_prove(const Context& context, const proto::EscrowProve& input) {
    const Server server = owned_server(context, input.server);
    const auto items = open_challenge(context, input);
    std::set<std::string> answered;
    for (const auto& answer : input.answers) {
        const auto item = std::ranges::find(items, answer.subkey, &EscrowChallenge::subkey);
        if (item == items.end() || !answered.insert(answer.subkey).second)
            refuse("the challenge has no such part, or it was answered twice: subkey " + answer.subkey);
        if (!equal_constant_time(answer.answer, item->digest))
            refuse("the answer for subkey " + item->subkey + " is wrong: another key opened something else");
        const auto record = newest_record(context.tx, server.uuid, item->subkey);
        if (!record || record->sha256 != answer.sha256)
            refuse("subkey " + item->subkey + " was opened from another escrow record (SHA-256 " +
                   answer.sha256 + ") than the newest one here");
    }
    if (!answered.contains(server.subkey))
        refuse("the part for the subkey in use, " + server.subkey + ", is not answered");
    if (!context.tx.use_challenge(input.challenge, context.now_ms()))
        refuse("this challenge was answered before");
    for (const auto& answer : input.answers) {
        context.tx.put_proof(
            {server.uuid, answer.subkey, context.user().fingerprint, answer.sha256, context.now_ms()});
        context.audit("escrow.prove", server.uuid,
                      "the escrow record " + answer.sha256 + " of subkey " + answer.subkey +
                          " was opened and used by " + context.user().name);
    }
    return {context.now_ms()};
}

}  // namespace strongroom::dispatcher
