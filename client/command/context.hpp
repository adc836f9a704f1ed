// What a command works with. Built by client/app; the session is opened by the first command that needs it.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "client/config/client_config.hpp"
#include "client/known_servers/known_servers.hpp"
#include "client/session/session.hpp"
#include "common/base/clock.hpp"
#include "common/base/json_fields.hpp"

namespace strongroom::client {

struct Context {
    ClientConfig& config;
    std::string config_file;  // that was read, or where `login` writes it
    const Clock& clock;
    std::ostream& out;                        // results
    std::ostream& err;                        // progress and remarks
    std::function<void()> check_interrupted;  // throws Error{interrupted} after Ctrl-C

    Session& session();
    proto::KeyNews key_news() const;  // of the dispatcher's keys, on stderr
    KnownServers& known_servers() {
        if (!known_) known_ = std::make_unique<KnownServers>(known_servers_file(config, config_file));
        return *known_;
    }
    // A remark for people, on stderr; nothing with -q.
    void say(const std::string& line) const;
    // One JSON value and a newline on the result stream.
    void print_json(const Json& value) const { out << value.dump(2) << '\n'; }

    std::unique_ptr<Session> session_;
    std::unique_ptr<KnownServers> known_;
};

// Remembers the identity of a server that a verified reply named, and says so when it is new. Throws
// Error{refused} if it is known by another key.
void remember(Context& context, const std::string& server, const std::string& label,
              const std::string& identity);

// "2026-11-22T01:37:00Z", or "never" without a time.
std::string shown_time(const std::optional<std::int64_t>& millis);

}  // namespace strongroom::client
