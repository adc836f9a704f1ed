#include "client/command/store_server.hpp"

#include "client/command/trusted_identity.hpp"

namespace strongroom::client {

StoreServer::StoreServer(Context& context, storage::ObjectStore& store, const std::string& server,
                         const std::string& given, const std::string& url, const std::string& as_of)
    : id((require_server_id(server), server)),
      store_(store),
      identities_(trusted_identities(context, given, shown_by_store(context, store, url, as_of, server))) {
    identity = identities_.shown();
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
