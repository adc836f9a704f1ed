#include "client/command/escrow_origin.hpp"

#include "client/command/patient_store.hpp"
#include "client/command/trusted_identity.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

Escrow from_dispatcher(Context& context, const std::string& server) {
    const auto reply = context.session().ask(proto::EscrowFetch{server});
    Escrow out{server, "dispatcher " + context.config.dispatcher, {}, {}};
    out.identities = shown_by_dispatcher(context, server, reply.public_key);
    for (const auto& one : reply.records) {
        Bytes record = from_base64(one.record);
        if (sha256_hex(record) != one.sha256)
            throw Error(ErrorKind::corrupt,
                        "the dispatcher's escrow record " + one.subkey + " does not match its digest",
                        "Use the copy in the store: --store URL.");
        out.records.push_back({one.subkey, std::move(record)});
    }
    return out;
}

}  // namespace

TrustedEscrow trusted_escrow(Context& context, const std::string& server, const std::string& store,
                             const std::string& identity, const std::string& as_of) {
    require_server_id(server);
    Escrow fetched;
    if (store.empty()) {
        fetched = from_dispatcher(context, server);
    } else {
        PatientStore opened(context, store, 0, as_of);
        fetched = escrow_from_store(*opened, server);
        if (!as_of.empty()) fetched.identities = shown_by_store(context, *opened, store, as_of, server);
    }
    auto trusted = trusted_identities(context, identity, fetched.identities);
    context.say("opening " + std::to_string(fetched.records.size()) + " escrow record(s) from " +
                fetched.origin + " with your own gpg");
    return {std::move(fetched), std::move(trusted)};
}

}  // namespace strongroom::client
