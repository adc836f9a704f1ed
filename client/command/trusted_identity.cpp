#include "client/command/trusted_identity.hpp"

#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::client {

void require_server_id(const std::string& server) {
    if (!is_uuid(server))
        throw Error(ErrorKind::usage, "\"" + server + "\" is no server UUID",
                    "See `strongroom server list`.");
}

std::string trusted_identity(Context& context, const std::string& server, const std::string& given,
                             const std::string& claimed, const std::string& origin) {
    const KnownServers& known = context.known_servers();
    if (given.empty() && !known.identity_of(server))
        throw Error(
            ErrorKind::refused,
            "the identity key of server " + server + " is not known here" +
                (claimed.empty() ? "" : "; " + origin + " says it is " + group_fingerprint(claimed)),
            "Whoever answers or holds the store could show a key of their own. Name the fingerprint that the "
            "host "
            "showed at registration (strongroom-agent status) with --identity FPR. It is remembered in " +
                known.file().string() + " after `strongroom server list`.");
    const std::string trusted = given.empty() ? *known.identity_of(server) : parse_fingerprint(given);
    known.check(server, trusted);
    if (!claimed.empty() && claimed != trusted)
        throw Error(ErrorKind::refused,
                    origin + " shows the identity key " + group_fingerprint(claimed) + " for server " +
                        server + ", but you trust " + group_fingerprint(trusted),
                    "Somebody may be answering for this server. Ask its host (strongroom-agent status).");
    return trusted;
}

}  // namespace strongroom::client
