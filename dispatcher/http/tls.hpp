// The dispatcher's TLS: 1.3, and 1.2 with forward secrecy and authenticated encryption; nothing older,
// nothing weaker, no renegotiation.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>

namespace strongroom::dispatcher {

class Certificate {
  public:
    // Loads both files. Throws Error{usage} unless both are named, Error{insecure_file} for a key that others
    // can read (S26), Error{config} for files that cannot be used or do not belong together.
    Certificate(std::filesystem::path chain, std::filesystem::path key);

    // For one new connection, which keeps it: a reload does not touch those that are open.
    std::shared_ptr<boost::asio::ssl::context> current() const { return current_; }

    // Reads the files again. If they cannot be used, the certificate at hand stays and an event says why.
    void reload() noexcept;

  private:
    std::filesystem::path chain_;
    std::filesystem::path key_;
    std::shared_ptr<boost::asio::ssl::context> current_;
};

}  // namespace strongroom::dispatcher
