// Whom a limit is for, and how many messages of one identity are in work. Only session.cpp includes this.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>

#include "dispatcher/http/session.hpp"

namespace strongroom::dispatcher {

// One IPv4 address, or the IPv6 network of one customer; empty if the connection is gone.
inline std::string limit_key(const boost::asio::ip::address& address) {
    if (address.is_v4()) return address.to_string();
    const auto v6 = address.to_v6();
    if (v6.is_v4_mapped())
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
    const auto bytes = v6.to_bytes();
    return std::string(bytes.begin(), bytes.begin() + 8);
}

inline std::string limit_key(const boost::beast::tcp_stream& stream) {
    boost::system::error_code failure;
    const auto remote = stream.socket().remote_endpoint(failure);
    return failure ? std::string() : limit_key(remote.address());
}

inline std::string limit_key(const Admission& admission) {
    return admission.code ? admission.code->hash : admission.fingerprint();
}

// Counts a message of one identity in and out.
class InFlight {
  public:
    InFlight(Shared& shared, std::string sender) : shared_(shared), sender_(std::move(sender)) {
        ++shared_.in_flight[sender_];
    }
    ~InFlight() {
        const auto place = shared_.in_flight.find(sender_);
        if (place != shared_.in_flight.end() && --place->second == 0) shared_.in_flight.erase(place);
    }
    InFlight(const InFlight&) = delete;

  private:
    Shared& shared_;
    std::string sender_;
};

}  // namespace strongroom::dispatcher
