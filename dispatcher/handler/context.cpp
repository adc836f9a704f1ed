#include "dispatcher/handler/context.hpp"

#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::dispatcher {

void Context::audit(const std::string& action, const std::string& object, const std::string& text) const {
    AuditEntry entry;
    entry.id = random_uuid();
    entry.time = now_ms();
    entry.owner = caller.owner();
    entry.actor = key != nullptr ? key->fingerprint : caller.fingerprint();
    entry.action = action;
    entry.object = object;
    entry.outcome = "ok";
    entry.text = text;
    tx.append_audit(entry);
}

Server owned_server(const Context& context, const std::string& uuid) {
    auto server = context.tx.find_server(uuid);
    if (!server || !context.caller.user || server->owner != context.caller.user->fingerprint)
        throw Error(ErrorKind::forbidden, "there is no server " + uuid + " of yours",
                    "`strongroom server list` shows your servers.");
    return *server;
}

Job owned_job(const Context& context, const std::string& id) {
    auto job = context.tx.find_job(id);
    bool owned = false;
    if (job && context.caller.server) owned = job->server == context.caller.server->uuid;
    if (job && context.caller.user) {
        const auto server = context.tx.find_server(job->server);
        owned = server && server->owner == context.caller.user->fingerprint;
    }
    if (!owned) throw Error(ErrorKind::forbidden, "there is no job " + id + " of yours");
    return *job;
}

std::int64_t forget_backups(const Context& context, const std::string& server,
                            const std::vector<std::string>& sets) {
    constexpr std::int64_t named = 20;
    std::int64_t forgotten = 0;
    std::string text;
    for (const auto& set : sets) {
        if (!context.tx.remove_backup(server, set, context.now_ms())) continue;
        if (forgotten++ < named) text += " " + set;
    }
    if (forgotten == 0) return 0;
    if (forgotten > named) text += " ...";
    context.audit("backup.forget", server,
                  std::to_string(forgotten) + " backup(s) are no longer listed:" + text);
    return forgotten;
}

}  // namespace strongroom::dispatcher
