#include "client/command/recovered_signers.hpp"

#include "client/command/trusted_identity.hpp"
#include "common/backupset/identity_objects.hpp"
#include "common/base/error.hpp"

namespace strongroom::client {

std::optional<backupset::Signers> signers_for(Context& context, storage::ObjectStore& store,
                                              const std::string& url, const std::string& as_of,
                                              const RecoveredHome& recovered) {
    ShownIdentities shown;
    try {
        shown = shown_by_store(context, store, url, as_of, recovered.server);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;  // without agent.asc: the home knows the key
        return std::nullopt;
    }
    if (shown.changes.empty()) return std::nullopt;
    return backupset::signers_of(Identities::follow(shown, recovered.identity, approvers_of(context)));
}

}  // namespace strongroom::client
