#include "client/command/context.hpp"

#include "client/command/trusted_identity.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {

void Context::say(const std::string& line) const {
    if (!config.quiet) err << printable_line(line, 2000) << '\n' << std::flush;
}

Session& Context::session() {
    if (session_) return *session_;
    session_ =
        std::make_unique<Session>(config, dispatcher_keys_file(config, config_file), clock, key_news());
    return *session_;
}

proto::KeyNews Context::key_news() const {
    return {[this](const std::string& text) { say(text); },
            [this](const Error& error) { err << describe("strongroom", error) << std::flush; }};
}

void remember(Context& context, const std::string& server, const std::string& label,
              const std::string& identity) {
    const auto known = context.known_servers().identity_of(server);
    if (known && *known != identity) {  // changed, as the proofs that the dispatcher keeps must show
        const auto reply = context.session().ask(proto::ServerShow{server});
        trusted_identities(context, {}, shown_by_dispatcher(context, server, reply.public_key));
    }
    if (context.known_servers().pin(server, identity, context.clock.now()))
        context.say("server " + server + " (" + label + ") is now known by " + group_fingerprint(identity) +
                    "; compare it with what its host shows (strongroom-agent status)");
}

std::string shown_time(const std::optional<std::int64_t>& millis) {
    return millis ? format_utc(from_millis(*millis)) : "never";
}

}  // namespace strongroom::client
