// The change of a server's identity key: proven (dispatcher/auth/identity_proof.hpp), taken, shown. Whoever
// relies on it follows the proofs itself.
#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "dispatcher/auth/identity_proof.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "dispatcher/handler/on_the_wire.hpp"

namespace strongroom::dispatcher {

proto::IdentityChangeNews::Reply identity_change(const Context& context,
                                                 const proto::IdentityChangeNews& input) {
    const Server& server = context.server();
    const IdentityProof& proof = *context.identity;
    const auto& content = proof.content;
    const auto known = context.tx.list_identity_changes(server.uuid);
    std::int64_t made = 0;
    for (const auto& one : known) made += one.state == "changed" ? 1 : 0;
    if (proof.repeated) {
        const auto same = std::ranges::find(known, content.sequence, &ServerIdentityChange::sequence);
        if (same == known.end() || same->next_key != content.next)
            throw Error(ErrorKind::refused,
                        "identity change " + std::to_string(content.sequence) + " is another one here");
        return {"changed"};
    }
    if (content.current != server.identity || content.sequence != made + 1)
        throw Error(ErrorKind::refused, "identity change " + std::to_string(content.sequence) +
                                            " does not follow change " + std::to_string(made));
    ServerIdentityChange change;
    change.server = server.uuid;
    change.sequence = content.sequence;
    change.current_key = content.current;
    change.next_key = content.next;
    change.former_key = proof.former_key;
    change.current = input.current;
    change.next = input.next;
    change.approval = input.approval.value_or("");
    change.approver_key = input.approver_key.value_or("");
    change.state = input.approval ? "changed" : "pending";
    change.told = context.now_ms();
    context.tx.put_identity_change(change);
    const std::string text = "identity change " + std::to_string(content.sequence) + ": " + content.next +
                             " instead of " + content.current;
    if (!input.approval) {
        context.audit("identity.propose", server.uuid, text + "; it waits for the approval of its user");
        log_event(Level::info, "DISPATCHER_IDENTITY_PENDING", "server {}: {}", server.uuid, text);
        return {"pending"};
    }
    context.tx.put_server_identity(server.uuid, content.next, content.public_key);
    context.audit("identity.change", server.uuid, text + ", approved by " + proof.approver);
    log_event(Level::warning, "DISPATCHER_IDENTITY_CHANGED", "server {}: {}, approved by {}", server.uuid,
              text, proof.approver);
    return {"changed"};
}

proto::IdentityList::Reply identity_list(const Context& context, const proto::IdentityList& input) {
    const Server server = owned_server(context, input.server);
    proto::IdentityList::Reply reply;
    for (const auto& one : context.tx.list_identity_changes(server.uuid)) {
        if (one.state == "changed") reply.keys.push_back(one.former_key);
        reply.changes.push_back(
            {one.current, one.next, unless_empty(one.approval), unless_empty(one.approver_key), one.told});
    }
    return reply;
}

}  // namespace strongroom::dispatcher
