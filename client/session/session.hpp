// A conversation of this user with the dispatcher: the user's own gpg home signs and decrypts, the
// dispatcher's pinned keys verify (proto/dispatcher_pins.hpp).
//
// Not shared between threads.
#pragma once

#include <memory>
#include <string>

#include "client/config/client_config.hpp"
#include "common/base/clock.hpp"
#include "common/gpg/home.hpp"
#include "proto/exchange.hpp"

namespace strongroom::client {

// The fingerprint that the configuration names, or that of the only secret key in the home. Throws
// Error{config} if neither settles it, Error{usage} if what is configured is no full fingerprint.
std::string user_fingerprint(const ClientConfig& config);

class Session {
  public:
    // `keys_file`: where the chain of the dispatcher's keys is kept. Refuses an address that the compiled-in
    // key does not allow (a development key: loopback only), and a chain that the compiled-in key is not in.
    // Asks at most for the chain yet.
    Session(const ClientConfig& config, const std::filesystem::path& keys_file, const Clock& clock,
            proto::KeyNews news);

    template <class Request>
    typename Request::Reply ask(const Request& request) {
        return exchange_->ask(request);
    }

  private:
    gpg::TempHome dispatcher_homes_{gpg::HomeFor::public_keys};
    std::unique_ptr<proto::Exchange> exchange_;
};

}  // namespace strongroom::client
