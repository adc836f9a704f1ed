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

Session::Session(const ClientConfig& config, const std::filesystem::path& keys_file, const Clock& clock,
                 proto::KeyNews news) {
    if (config.dispatcher.empty())
        throw Error(
            ErrorKind::config, "no dispatcher is configured",
            "Run `strongroom login`, or name it with --dispatcher URL. Recovery and restore also work from "
            "the store alone (--store).");
    proto::require_address_allowed(config.dispatcher);
    Secret token = read_token(config);
    proto::Party me{gpg::Home::use(config.gpg_home), user_fingerprint(config)};
    const auto pins =
        std::make_shared<proto::DispatcherPins>(keys_file, dispatcher_homes_.home().path() / "keys");
    exchange_ = std::make_unique<proto::Exchange>(config.dispatcher, std::move(me), pins,
                                                  proto::Gate{proto::Gate::Kind::bearer, std::move(token)},
                                                  clock, std::move(news));
    if (pins->contains(proto::compiled_in_fingerprint())) return;
    exchange_->follow_keys();  // a newer program, built for a key that this user has not heard of yet
    if (!pins->contains(proto::compiled_in_fingerprint()))
        throw Error(ErrorKind::refused,
                    "this program holds the dispatcher key " +
                        group_fingerprint(proto::compiled_in_fingerprint()) +
                        ", but your dispatcher's chain of keys begins with " +
                        group_fingerprint(pins->root()) + " and does not lead to it",
                    "Install the program that was built for your dispatcher. If it was replaced on purpose, "
                    "remove " +
                        keys_file.string() + ".");
}

}  // namespace strongroom::client
