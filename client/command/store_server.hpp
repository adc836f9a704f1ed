// One server of a store, as the commands see it that need nothing else: the identity key that this user
// trusts for it, and a home with that key to verify with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "client/command/context.hpp"
#include "common/backupset/identity_objects.hpp"
#include "common/gpg/home.hpp"
#include "common/maintenance/trusted_server.hpp"
#include "common/maintenance/verification_log.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::client {

struct StoreServer {
    // `server`: its UUID. `given` is the value of --identity or empty. Throws Error{usage} unless it is one,
    // Error{not_found} if the store has no such server, Error{refused} if no identity is known or the store
    // shows another.
    // `url`, `as_of`: of a view of the past, else empty.
    StoreServer(Context& context, storage::ObjectStore& store, const std::string& id,
                const std::string& given, const std::string& url = {}, const std::string& as_of = {});

    const gpg::Home& verify_home() const { return identities_.home(); }
    maintenance::TrustedServer trusted() const { return {store_, id, signers()}; }
    backupset::Signers signers() const { return backupset::signers_of(identities_); }
    const Identities& identities() const { return identities_; }

    std::string id;
    std::string identity;  // full fingerprint of the key in use, which verify_home() holds with its subkeys

  private:
    storage::ObjectStore& store_;
    Identities identities_;
};

// verified/<server>.json beside client.toml.
std::filesystem::path verification_log_file(const Context& context, const std::string& server);

// The user's own key, where the configuration names one or `needed`. Throws Error{config} if it is needed and
// cannot be told.
std::optional<maintenance::LogSigner> log_signer(const Context& context, bool needed);

}  // namespace strongroom::client
