#include "proto/dispatcher_key.hpp"

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/net/http.hpp"

namespace strongroom::proto {

const std::string& compiled_in_fingerprint() {
    static const std::string fingerprint = gpg::inspect_public_key(compiled_in_dispatcher_key()).fingerprint;
    return fingerprint;
}

Party dispatcher_party(const std::filesystem::path& home) {
    gpg::Home own = gpg::Home::create(home, gpg::HomeFor::public_keys);
    // The fingerprint is read from the compiled-in key itself, before it is imported.
    std::string fingerprint = gpg::import_public_key(own, compiled_in_dispatcher_key()).fingerprint;
    return {std::move(own), std::move(fingerprint)};
}

void require_address_allowed(const std::string& url) {
    if (net::is_loopback_url(url)) return;
    if (!net::is_https_url(url))
        throw Error(ErrorKind::refused, "plain http is allowed for loopback addresses only: " + url,
                    "Use an https:// address.");
    if (dispatcher_key_is_development())
        throw Error(ErrorKind::refused,
                    "this program was built with a development dispatcher key and refuses to talk to " + url,
                    "Build with -DSTRONGROOM_DISPATCHER_KEY=dispatcher.asc, the public key that "
                    "`strongroom-dispatcher init` writes.");
}

std::string version_line() {
    return std::string(STRONGROOM_VERSION) + "\ndispatcher key " +
           group_fingerprint(compiled_in_fingerprint()) +
           (dispatcher_key_is_development() ? "\nDEVELOPMENT KEY: loopback addresses only" : "");
}

}  // namespace strongroom::proto
