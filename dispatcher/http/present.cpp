#include "dispatcher/http/present.hpp"

#include "common/base/log.hpp"

namespace strongroom::dispatcher {

bool Shared::make_room() {
    if (unknown.empty()) return false;
    const auto oldest = unknown.begin();
    oldest->second->close();
    unknown.erase(oldest);
    const auto now = std::chrono::steady_clock::now();
    if (now - full_logged > std::chrono::minutes(1)) {
        full_logged = now;
        log_event(Level::warning, "DISPATCHER_CONNECTIONS_FULL",
                  "all {} connections are in use; the oldest without a token are cut",
                  limits.max_connections);
    }
    return true;
}

}  // namespace strongroom::dispatcher
