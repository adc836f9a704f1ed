#include <algorithm>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "dispatcher/health/key_expiry.hpp"
#include "proto/registration_code.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::chrono::hours code_lifetime{24};

}  // namespace

proto::RegistrationCreate::Reply registration_create(const Context& context,
                                                     const proto::RegistrationCreate& input) {
    RegistrationCode record;
    record.hash = input.code_hash;
    record.owner = context.user().fingerprint;
    record.label = input.label;
    record.created = context.now_ms();
    record.expires = to_millis(context.now + code_lifetime);
    context.tx.add_code(record);
    context.audit("registration.create", input.label, "registration code announced, valid for 24 hours");
    return {record.expires};
}

proto::Register::Reply register_server(const Context& context, const proto::Register& input) {
    const RegistrationCode& code = *context.caller.code;
    if (!equal_constant_time(proto::registration_code_hash(input.code), code.hash))
        throw Error(ErrorKind::unauthenticated,
                    "the code in the message is not the code that opened the gate");
    if (context.key == nullptr || !context.key->owns(input.subkey) ||
        input.subkey == context.key->fingerprint)
        throw Error(ErrorKind::protocol, "the named decryption subkey is not a subkey of the registered key");
    const auto& subkeys = context.key->subkeys;
    if (std::ranges::none_of(subkeys, [&](const auto& subkey) {
            return subkey.fingerprint == input.subkey && subkey.can_encrypt && subkey.usable;
        }))
        throw Error(ErrorKind::protocol, "the named decryption subkey cannot be used for encryption");
    if (input.recovery.empty())
        throw Error(ErrorKind::refused, "a server without a pinned recovery key could never be recovered",
                    "Register with --recovery-key FILE.");
    if (!context.tx.consume_code(code.hash, input.server, context.now_ms()))
        throw Error(ErrorKind::refused, "this registration code was used already or has expired",
                    "Ask for a new one: strongroom registration create");
    const auto owner = context.tx.find_user(code.owner);
    if (!owner) throw Error(ErrorKind::internal, "a registration code without an owner");

    Server server;
    server.uuid = input.server;
    server.owner = code.owner;
    server.identity = context.key->fingerprint;
    server.subkey = input.subkey;
    server.public_key = input.public_key;
    server.token_hash = input.token_hash;
    server.label = input.label;
    server.recovery = input.recovery;
    server.registered = context.now_ms();
    server.last_seen = context.now_ms();
    server.version = input.version;
    context.tx.add_server(server);  // Error{exists}: a UUID cannot be registered again (S17)
    context.tx.put_key_expiry(key_expiry(*context.key));

    Job escrow;
    escrow.id = random_uuid();
    escrow.server = server.uuid;
    escrow.kind = "escrow";
    escrow.created_by = "registration";
    escrow.created = context.now_ms();
    context.tx.add_job(escrow);
    context.wake.push_back(server.uuid);

    std::string pinned;
    for (const auto& fingerprint : input.recovery) pinned += " " + fingerprint;
    context.audit(
        "register", server.uuid,
        "registered with identity " + server.identity + "; recovery keys pinned on the host:" + pinned);
    return {server.uuid, owner->fingerprint, owner->name};
}

}  // namespace strongroom::dispatcher
