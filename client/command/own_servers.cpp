#include "client/command/own_servers.hpp"

#include <algorithm>

#include "common/base/ids.hpp"

namespace strongroom::client {

const std::vector<proto::Server>& OwnServers::all() {
    if (!list_) list_ = context_.session().ask(proto::ServerList{});
    return list_->servers;
}

std::string OwnServers::named(const std::string& server) {
    const auto found = std::ranges::find(all(), server, &proto::Server::server);
    return found == all().end() ? server : found->label + " (" + server + ")";
}

std::string OwnServers::named_by_identity(const std::string& fingerprint) {
    const auto found = std::ranges::find(all(), fingerprint, &proto::Server::identity);
    return group_fingerprint(fingerprint) + (found == all().end()
                                                 ? ", the key of none of your servers now"
                                                 : ", server " + found->label + " (" + found->server + ")");
}

}  // namespace strongroom::client
