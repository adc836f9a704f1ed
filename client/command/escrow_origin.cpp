#include "client/command/escrow_origin.hpp"

#include "client/command/patient_store.hpp"
#include "client/command/trusted_identity.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

struct Fetched {
    Escrow escrow;
    std::string claimed_identity;  // empty if the origin names none
};

Fetched from_dispatcher(Context& context, const std::string& server) {
    const auto reply = context.session().ask(proto::EscrowFetch{server});
    Fetched out{{server, "dispatcher " + context.config.dispatcher, reply.public_key, {}}, reply.identity};
    for (const auto& one : reply.records) {
        Bytes record = from_base64(one.record);
        if (sha256_hex(record) != one.sha256)
            throw Error(ErrorKind::corrupt,
                        "the dispatcher's escrow record " + one.subkey + " does not match its digest",
                        "Use the copy in the store: --store URL.");
        out.escrow.records.push_back({one.subkey, std::move(record)});
    }
    return out;
}

}  // namespace

TrustedEscrow trusted_escrow(Context& context, const std::string& server, const std::string& store,
                             const std::string& identity, const std::string& as_of) {
    require_server_id(server);
    Fetched fetched;
    if (store.empty()) {
        fetched = from_dispatcher(context, server);
    } else {
        PatientStore opened(context, store, 0, as_of);
        fetched = {escrow_from_store(*opened, server), {}};
    }
    auto trusted =
        trusted_identity(context, server, identity, fetched.claimed_identity, fetched.escrow.origin);
    context.say("opening " + std::to_string(fetched.escrow.records.size()) + " escrow record(s) from " +
                fetched.escrow.origin + " with your own gpg");
    return {std::move(fetched.escrow), std::move(trusted)};
}

}  // namespace strongroom::client
