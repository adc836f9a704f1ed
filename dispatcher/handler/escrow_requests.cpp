#include "dispatcher/handler/escrow_requests.hpp"

#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::int64_t hour = INT64_C(3'600'000);
constexpr std::int64_t kept = INT64_C(30) * 24 * hour;

std::int64_t limit_of(const Context& context, const char* name, std::int64_t otherwise) {
    const std::string text = context.tx.service_value(name);
    return text.empty() ? otherwise : std::stoll(text);
}

[[noreturn]] void refuse(const std::string& whose, std::int64_t limit) {
    throw Error(ErrorKind::refused,
                "escrow records " + whose + " were fetched " + std::to_string(limit) +
                    " times within an hour, which is the limit",
                "Try again later. The store holds the same records (--store URL). If it was not you: "
                "strongroom audit list");
}

}  // namespace

void require_escrow_request_allowed(const Context& context, const std::string& server) {
    const std::int64_t since = context.now_ms() - hour;
    const std::int64_t of_server = limit_of(context, fetches_of_server_value, default_fetches_of_server);
    if (context.tx.count_escrow_requests_for(server, since) >= of_server)
        refuse("of server " + server, of_server);
    const std::int64_t of_user = limit_of(context, fetches_of_user_value, default_fetches_of_user);
    if (context.tx.count_escrow_requests_of_user(context.user().fingerprint, since) >= of_user)
        refuse("by this user", of_user);
}

void note_escrow_request(const Context& context, const Server& server, const std::string& text) {
    const std::string& user = context.user().fingerprint;
    context.tx.forget_escrow_requests(context.now_ms() - kept);
    context.tx.add_escrow_request({server.uuid, user, context.now_ms()});
    context.audit("escrow.fetch", server.uuid, text);
    for (const auto& recovery : server.recovery) {
        if (recovery == context.caller.owner() || !context.tx.find_user(recovery)) continue;
        AuditEntry entry;
        entry.id = random_uuid();
        entry.time = context.now_ms();
        entry.owner = recovery;
        entry.actor = user;
        entry.action = "escrow.fetch";
        entry.object = server.uuid;
        entry.outcome = "ok";
        entry.text = text + "; your key opens them, too";
        context.tx.append_audit(entry);
    }
    if (server.retired != 0) return;
    context.tx.note_news(server.uuid);
    context.wake.push_back(server.uuid);
}

std::optional<proto::EscrowFetched> recent_escrow_requests(const Context& context,
                                                           const std::string& server) {
    const std::int64_t since = context.now_ms() - kept;
    const auto last = context.tx.last_escrow_request(server);
    if (!last || last->time < since) return std::nullopt;
    return proto::EscrowFetched{last->time, last->user, context.tx.count_escrow_requests_for(server, since)};
}

}  // namespace strongroom::dispatcher
