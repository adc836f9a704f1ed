#include "dispatcher/auth/admission.hpp"

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "proto/sealed.hpp"

namespace strongroom::dispatcher {

std::string_view name(Role role) {
    switch (role) {
        case Role::user:
            return "user";
        case Role::agent:
            return "agent";
        case Role::registrant:
            return "registrant";
    }
    return "unknown";
}

std::string Admission::fingerprint() const {
    if (user) return user->fingerprint;
    if (server) return server->identity;
    return {};
}

std::string Admission::owner() const {
    if (user) return user->fingerprint;
    if (server) return server->owner;
    return code ? code->owner : std::string();
}

namespace {

// What is looked up for "Bearer TOKEN": the token's hash. Nothing for anything that cannot be a token.
std::optional<std::string> token_hash(std::string_view authorization) {
    constexpr std::string_view bearer = "Bearer ";
    if (!authorization.starts_with(bearer)) return std::nullopt;
    const std::string_view token = authorization.substr(bearer.size());
    if (!is_sha256_hex(token)) return std::nullopt;  // the same shape: 64 lower-case hexadecimal digits
    return sha256_hex(token);
}

}  // namespace

Admission admit(Store& store, const Clock& clock, std::string_view authorization) {
    constexpr std::string_view registration = "Registration ";
    Admission out;
    if (const auto token = token_hash(authorization)) {
        store.read([&](Transaction& tx) {
            out.server = tx.find_server_by_token(*token);
            if (!out.server) out.user = tx.find_user_by_token(*token);
        });
        if (out.server && out.server->retired == 0) {
            out.role = Role::agent;
            return out;
        }
        if (out.user) return out;
    } else if (authorization.starts_with(registration)) {
        const std::string hash(authorization.substr(registration.size()));
        if (is_sha256_hex(hash)) store.read([&](Transaction& tx) { out.code = tx.find_code(hash); });
        // A code that was used moments ago still passes, so that a registration whose reply was lost can be
        // repeated; a new registration with it is refused by the handler.
        const std::int64_t now = to_millis(clock.now());
        const auto kept = std::chrono::duration_cast<std::chrono::milliseconds>(proto::seen_ids_kept).count();
        if (out.code && (out.code->used == 0 ? out.code->expires > now : out.code->used + kept > now)) {
            out.role = Role::registrant;
            return out;
        }
    }
    throw Error(ErrorKind::unauthenticated, "no valid token or registration code",
                "A code works once, for 24 hours. A retired server's token works no more.");
}

WaitingAgent admit_waiting(Store& store, std::string_view authorization) {
    std::optional<WaitingAgent> out;
    if (const auto hash = token_hash(authorization))
        store.read([&](Transaction& tx) { out = tx.find_waiting_agent(*hash); });
    if (!out) throw Error(ErrorKind::unauthenticated, "no valid token of an agent");
    return *out;
}

}  // namespace strongroom::dispatcher
