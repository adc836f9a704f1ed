#include <algorithm>
#include <set>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "dispatcher/handler/escrow_requests.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "dispatcher/handler/on_the_wire.hpp"
#include "dispatcher/health/key_expiry.hpp"

namespace strongroom::dispatcher {

namespace {

// A rotation shows the key with its new subkey: from here on that one is the server's. A new record of an
// older subkey changes nothing else.
void take_changed_key(const Context& context, const proto::EscrowDeposit& input) {
    const Server& server = context.server();
    if (input.subkey == server.subkey && (!input.public_key || *input.public_key == server.public_key))
        return;
    const auto* newest = context.key != nullptr ? context.key->encryption_subkey() : nullptr;
    if (newest != nullptr && newest->fingerprint == input.subkey) {
        context.tx.put_server_key(server.uuid, input.subkey, *input.public_key);
        context.tx.put_key_expiry(key_expiry(*context.key));
        context.audit("escrow.rotate", server.uuid,
                      "decryption subkey " + input.subkey + " instead of " + server.subkey);
        return;
    }
    // An older one of the same key, whose record never came here.
    if (context.key != nullptr && context.key->owns(input.subkey) && input.subkey != context.key->fingerprint)
        return;
    const auto kept = context.tx.list_escrow(server.uuid);
    if (std::ranges::find(kept, input.subkey, &EscrowRecord::subkey) == kept.end())
        throw Error(ErrorKind::refused,
                    "subkey " + input.subkey + " is not the decryption subkey of this server");
}

// Which keys may open the escrow is decided and pinned on the host (S7); here it is shown, and its change is
// audited.
void take_recovery_keys(const Context& context, const proto::EscrowDeposit& input) {
    const Server& server = context.server();
    const auto& recipients = input.recipients;
    const std::int64_t sequence = input.recovery_sequence.value_or(0);
    if (recipients == server.recovery && sequence == server.recovery_sequence) return;
    std::string text;
    for (const auto& one : recipients) text += " " + one;
    text += " instead of";
    for (const auto& one : server.recovery) text += " " + one;
    text += " (change " + std::to_string(sequence) + ")";
    context.tx.put_server_recovery(server.uuid, recipients, sequence);
    context.audit("recovery.change", server.uuid, "recovery keys pinned on the host:" + text);
    log_event(Level::warning, "DISPATCHER_RECOVERY_KEYS_CHANGED", "server {}:{}", server.uuid, text);
}

}  // namespace

proto::EscrowDeposit::Reply escrow_deposit(const Context& context, const proto::EscrowDeposit& input) {
    const Server& server = context.server();
    take_changed_key(context, input);
    if (input.recipients.empty()) throw Error(ErrorKind::protocol, "an escrow record without a recipient");
    take_recovery_keys(context, input);
    const Bytes bytes = from_base64(input.record);
    if (bytes.empty() || bytes.size() > proto::max_record)
        throw Error(ErrorKind::protocol,
                    "an escrow record must have 1 to " + std::to_string(proto::max_record) + " bytes");
    const std::string digest = sha256_hex(bytes);
    if (context.tx.find_escrow(server.uuid, input.subkey, digest)) return {digest};  // deposited before
    EscrowRecord record;
    record.id = random_uuid();
    record.server = server.uuid;
    record.subkey = input.subkey;
    record.recipients = input.recipients;
    record.sha256 = digest;
    record.record = input.record;
    record.deposited = context.now_ms();
    context.tx.append_escrow(record);
    // Read back and compared (S9) before the agent hears its digest.
    const auto stored = context.tx.find_escrow(server.uuid, input.subkey, digest);
    if (!stored || sha256_hex(from_base64(stored->record)) != digest)
        throw Error(ErrorKind::storage, "the escrow record did not read back as it was written");
    context.audit("escrow.deposit", server.uuid, "escrow of subkey " + input.subkey + ", sha256 " + digest);
    return {digest};
}

proto::EscrowFetch::Reply escrow_fetch(const Context& context, const proto::EscrowFetch& input) {
    const Server server = owned_server(context, input.server);
    require_escrow_request_allowed(context, server.uuid);
    proto::EscrowFetch::Reply reply;
    reply.identity = server.identity;
    reply.public_key = server.public_key;
    std::set<std::string> seen;
    for (const auto& record : context.tx.list_escrow(server.uuid)) {
        if (!seen.insert(record.subkey).second || reply.records.size() == 100) continue;
        reply.records.push_back(
            {record.subkey, record.record, record.sha256, record.deposited, record.recipients});
    }
    reply.records = as_many_as_fit(std::move(reply.records));
    note_escrow_request(context, server, std::to_string(reply.records.size()) + " escrow record(s) fetched");
    return reply;
}

}  // namespace strongroom::dispatcher
