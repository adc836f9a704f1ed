#include "client/command/store_server.hpp"

#include "client/command/trusted_identity.hpp"
#include "common/backupset/store_root.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::client {

StoreServer::StoreServer(Context& context, storage::ObjectStore& store, const std::string& server,
                         const std::string& given)
    : id(server), store_(store) {
    require_server_id(id);
    identity = trusted_identity(context, id, given, {}, store.label());
    gpg::import_public_key(home_.home(), backupset::read_agent_key(store, id), identity);
}

std::filesystem::path verification_log_file(const Context& context, const std::string& server) {
    return known_servers_file(context.config, context.config_file).parent_path() / "verified" /
           (server + ".json");
}

std::optional<maintenance::LogSigner> log_signer(const Context& context, bool needed) {
    if (!needed && context.config.user.empty()) return std::nullopt;
    return maintenance::LogSigner{gpg::Home::use(context.config.gpg_home), user_fingerprint(context.config)};
}

}  // namespace strongroom::client
