#include "client/command/trusted_identity.hpp"

#include <algorithm>

#include "client/command/patient_store.hpp"
#include "common/backupset/identity_objects.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

std::string shown_key(const ShownIdentities& shown) {
    const gpg::TempHome home(gpg::HomeFor::public_keys);
    try {
        return gpg::import_into_empty(home.home(), shown.public_key).fingerprint;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::crypto) throw;
        return {};
    }
}

// The fingerprint to begin with.
std::string trust_anchor(const KnownServers& known, const std::string& given, const ShownIdentities& shown) {
    const std::string& server = shown.server;
    if (const auto remembered = known.identity_of(server)) {
        if (!given.empty() && shown.changes.empty() && !known.had(server, parse_fingerprint(given)))
            known.check(server, parse_fingerprint(given));
        return *remembered;
    }
    if (!given.empty()) return parse_fingerprint(given);
    const std::string claimed = shown_key(shown);
    throw Error(
        ErrorKind::refused,
        "the identity key of server " + server + " is not known here" +
            (claimed.empty() ? "" : "; " + shown.origin + " says it is " + group_fingerprint(claimed)),
        "Whoever answers or holds the store could show a key of their own. Name the fingerprint that the "
        "host "
        "showed at registration (strongroom-agent status) with --identity FPR. It is remembered in " +
            known.file().string() + " after `strongroom server list`.");
}

// Without a change that leads to it, another key than the trusted one is somebody's.
void require_same_key(const ShownIdentities& shown, const std::string& trusted) {
    const std::string claimed = shown_key(shown);
    if (claimed.empty() || claimed == trusted) return;
    throw Error(ErrorKind::refused,
                shown.origin + " shows the identity key " + group_fingerprint(claimed) + " for server " +
                    shown.server + ", which is not the identity key that you trust, " +
                    group_fingerprint(trusted),
                "Somebody may be answering for this server. Ask its host (strongroom-agent status).");
}

void tell_of_changes(const Context& context, const Identities& identities) {
    for (const auto& step : identities.steps())
        context.say("server " + step.statement.server +
                    " has another identity key: " + group_fingerprint(step.statement.next) + " instead of " +
                    group_fingerprint(step.statement.current) + "; change " +
                    std::to_string(step.statement.sequence) + " is signed by both keys, and approved by " +
                    group_fingerprint(step.approver));
}

}  // namespace

void require_server_id(const std::string& server) {
    if (!is_uuid(server))
        throw Error(ErrorKind::usage, "\"" + server + "\" is no server UUID",
                    "See `strongroom server list`.");
}

AcceptsApprover approvers_of(const Context& context) {
    return [&context](const std::string& fingerprint) {
        for (const auto& named : context.config.approvers)
            if (parse_fingerprint(named) == fingerprint) return true;
        for (const auto& own : gpg::list_keys(gpg::Home::use(context.config.gpg_home), true))
            if (own.fingerprint == fingerprint) return true;
        context.say("the change is approved by " + group_fingerprint(fingerprint) +
                    ", which is no key of yours: if you know it, name it with --approver");
        return false;
    };
}

Identities trusted_identities(Context& context, const std::string& given, const ShownIdentities& shown) {
    KnownServers& known = context.known_servers();
    const std::string anchor = trust_anchor(known, given, shown);
    if (shown.changes.empty()) require_same_key(shown, anchor);
    Identities out = Identities::follow(shown, anchor, approvers_of(context));
    if (!given.empty() && !out.contains(parse_fingerprint(given)))
        known.check(shown.server, parse_fingerprint(given));
    if (out.steps().empty()) return out;
    tell_of_changes(context, out);
    if (known.identity_of(shown.server)) {
        std::vector<std::string> path{anchor};
        for (const auto& step : out.steps()) path.push_back(step.statement.next);
        known.follow(shown.server, path, context.clock.now());
    }
    return out;
}

ShownIdentities shown_by_store(Context& context, storage::ObjectStore& store, const std::string& url,
                               const std::string& as_of, const std::string& server) {
    if (!as_of.empty()) {
        try {
            PatientStore now(context, url);
            return backupset::read_identities(*now, server);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::not_found) throw;  // gone meanwhile: then as it was
        }
    }
    return backupset::read_identities(store, server);
}

ShownIdentities shown_by_dispatcher(Context& context, const std::string& server,
                                    const std::string& public_key, bool all) {
    ShownIdentities out;
    out.server = server;
    out.origin = "dispatcher " + context.config.dispatcher;
    out.public_key = public_key;
    // Asked for only where another key is shown than the one that is known.
    if (!all && context.known_servers().identity_of(server) == shown_key(out)) return out;
    const auto reply = context.session().ask(proto::IdentityList{server});
    out.keys = {reply.keys.begin(), reply.keys.end()};
    for (const auto& one : reply.changes) {
        IdentityChange change{from_base64(one.current), from_base64(one.next),
                              one.approval ? from_base64(*one.approval) : Bytes(),
                              one.approver_key.value_or("")};
        if (one.approval)
            out.changes.push_back(std::move(change));
        else
            out.pending = std::move(change);
    }
    return out;
}

}  // namespace strongroom::client
