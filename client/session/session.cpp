#include "client/session/session.hpp"

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "proto/dispatcher_key.hpp"

namespace strongroom::client {

std::string user_fingerprint(const ClientConfig& config) {
    if (!config.user.empty()) return parse_fingerprint(config.user);
    const auto keys = gpg::list_keys(gpg::Home::use(config.gpg_home), true);
    if (keys.size() == 1) return keys.front().fingerprint;
    throw Error(ErrorKind::config,
                keys.empty() ? "your GnuPG home holds no secret key"
                             : "your GnuPG home holds " + std::to_string(keys.size()) + " secret keys",
                keys.empty() ? "Name the home with --gpg-home, or make a key: gpg --quick-generate-key NAME"
                             : "Name the one that the dispatcher knows with --user FINGERPRINT.");
}

Session::Session(const ClientConfig& config, const Clock& clock) {
    if (config.dispatcher.empty())
        throw Error(
            ErrorKind::config, "no dispatcher is configured",
            "Run `strongroom login`, or name it with --dispatcher URL. Recovery and restore also work from "
            "the store alone (--store).");
    proto::require_address_allowed(config.dispatcher);
    Secret token = read_token(config);
    proto::Party me{gpg::Home::use(config.gpg_home), user_fingerprint(config)};
    exchange_ = std::make_unique<proto::Exchange>(
        config.dispatcher, std::move(me), proto::dispatcher_party(dispatcher_home_.home().path()),
        proto::Gate{proto::Gate::Kind::bearer, std::move(token)}, clock);
}

}  // namespace strongroom::client
