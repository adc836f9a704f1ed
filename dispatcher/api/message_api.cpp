#include "dispatcher/api/message_api.hpp"

#include <chrono>

#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "dispatcher/auth/challenge.hpp"
#include "dispatcher/auth/identity_proof.hpp"
#include "proto/messages.hpp"

namespace strongroom::dispatcher {
namespace {

// A final answer: the same request would be refused again. Everything else is worth another try with the same
// id.
bool is_final(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::internal:
        case ErrorKind::storage:
        case ErrorKind::busy:
        case ErrorKind::timeout:
        case ErrorKind::tool_missing:
        case ErrorKind::interrupted:
            return false;
        default:
            return true;
    }
}

Error replaced(const std::string& server, const std::string& former, const std::string& now) {
    return {ErrorKind::forbidden,
            "the identity key " + group_fingerprint(former) + " of server " + server +
                " was changed: it counts no more",
            "Its successor is " + group_fingerprint(now) +
                ". Was the host's state restored from an old copy? strongroom-agent identity show"};
}

// The caller as this transaction sees it: since the gate a server may have been retired, or have got another
// identity key.
Admission read_again(Transaction& tx, const Admission& admission) {
    Admission out = admission;
    if (admission.user) out.user = tx.find_user(admission.user->fingerprint);
    if (admission.server) out.server = tx.find_server(admission.server->uuid);
    if (admission.code) out.code = tx.find_code(admission.code->hash);
    if ((admission.user && !out.user) || (admission.server && (!out.server || out.server->retired != 0)) ||
        (admission.code && !out.code))
        throw Error(ErrorKind::forbidden, "this peer may not speak any more");
    if (admission.server && out.server->identity != admission.server->identity)
        throw replaced(out.server->uuid, admission.server->identity, out.server->identity);
    return out;
}

// The reply that this very request had before, if it is repeated.
std::optional<proto::Message> kept_reply(Transaction& tx, const proto::Message& request) {
    const auto seen = tx.find_reply(request.header.from, request.header.id);
    if (!seen) return std::nullopt;
    if (seen->digest != request.digest())
        throw Error(ErrorKind::protocol,
                    "message id " + request.header.id + " was used for another message before");
    try {
        return proto::decode(seen->reply);
    } catch (const Error& error) {  // not final: no refusal may say that the request had no effect
        throw Error(ErrorKind::internal, error.text());
    }
}

void keep_reply(Transaction& tx, const proto::Message& request, const proto::Message& reply,
                std::int64_t now) {
    tx.add_reply(request.header.from, request.header.id, now, {request.digest(), reply.json});
}

// What the sender shows that it knows of our keys. Written when it changes.
void note_key_pin(Transaction& tx, const proto::Header& header, std::int64_t now) {
    if (!header.key) return;
    KeyPin pin = tx.find_key_pin(header.from).value_or(KeyPin{});
    if (pin.newest == *header.key && pin.addressed == header.to) return;
    if (pin.newest != *header.key) pin.newest_since = now;
    if (pin.addressed != header.to) pin.addressed_since = now;
    pin.peer = header.from;
    pin.newest = *header.key;
    pin.addressed = header.to;
    tx.put_key_pin(pin);
}

}  // namespace

template <class Work>
auto MessageApi::at_the_gate(const Work& work) {
    try {
        return work();
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::unauthenticated) metrics_.gate_refused();
        throw;
    }
}

Admission MessageApi::admit(std::string_view authorization) {
    return at_the_gate([&] { return dispatcher::admit(store_, clock_, authorization); });
}

WaitingAgent MessageApi::admit_waiting(std::string_view authorization) {
    WaitingAgent out = at_the_gate([&] { return dispatcher::admit_waiting(store_, authorization); });
    still_waits(out.server);
    return out;
}

// A message that the server's key before its last change signed is proven, too: it gets the reply that it had
// before the change, or hears why there is none.
Authenticated MessageApi::open(const Admission& admission, BytesView sealed) {
    try {
        return authenticator_.open(admission, sealed);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::unauthenticated || admission.role != Role::agent) throw;
        std::optional<ServerIdentityChange> last;
        store_.read([&](Transaction& tx) {
            last.reset();
            for (auto& change : tx.list_identity_changes(admission.server->uuid))
                if (change.state == "changed") last = std::move(change);
        });
        if (!last) throw;
        try {
            return authenticator_.open_former(*last, sealed);
        } catch (const Error& other) {
            if (other.kind() != ErrorKind::unauthenticated) throw;
        }
        throw;
    }
}

Answer MessageApi::message(const Admission& admission, BytesView sealed) {
    const auto start = std::chrono::steady_clock::now();
    std::string type = "unknown";
    const auto count = [&](std::string_view outcome) {
        metrics_.message(type, outcome, std::chrono::steady_clock::now() - start);
    };
    try {
        metrics_.opened();
        std::optional<Authenticated> authenticated;
        try {
            authenticated.emplace(open(admission, sealed));
        } catch (const Error& error) {
            if (!is_final(error.kind())) throw;  // this side failed (a gpg that hangs): nothing was refused
            log_event(Level::warning, "DISPATCHER_MESSAGE_REFUSED", "from the gate of {} {}: {}: {}",
                      name(admission.role), admission.fingerprint(), name(error.kind()), error.text());
            const AuditEntry entry = refusal_entry(admission, admission.fingerprint(), "message", error);
            if (is_audited(admission)) store_.transact([&](Transaction& tx) { tx.append_audit(entry); });
            throw;
        }
        if (find_route(authenticated->message.header.type) != nullptr)
            type = authenticated->message.header.type;
        Outcome outcome;
        try {
            outcome = handle(admission, *authenticated);
        } catch (const Error& error) {
            if (!is_final(error.kind())) throw;
            outcome = refuse(admission, *authenticated, error);
        }
        Bytes sealed_reply = seal(outcome.reply, *authenticated);
        count(outcome.name);
        return {200, "application/octet-stream", std::move(sealed_reply), 0};
    } catch (const Error& error) {
        count(name(error.kind()));
        if (http_status(error.kind()) >= 500)
            log_event(Level::error, "DISPATCHER_MESSAGE_FAILED", "{}: {}: {}", type, name(error.kind()),
                      error.text());
        return plain_error(error);
    } catch (const std::exception& error) {
        count("internal");
        log_event(Level::error, "DISPATCHER_MESSAGE_FAILED", "{}: {}", type, error.what());
        return plain_error(Error(ErrorKind::internal, error.what()));
    }
}

MessageApi::Outcome MessageApi::handle(const Admission& admission, const Authenticated& authenticated) {
    const proto::Message& request = authenticated.message;
    const Route* route = find_route(request.header.type);
    Outcome out;
    // gpg, so before the transaction; for nothing if the message is a repetition.
    std::optional<ChallengeDraft> challenge;
    if (route != nullptr && route->caller == admission.role &&
        request.header.type == proto::EscrowChallenge::type)
        challenge =
            draft_challenge(store_, admission, from_json<proto::EscrowChallenge>(request.body).server);
    std::optional<IdentityProof> identity;
    if (route != nullptr && route->caller == admission.role && !authenticated.former &&
        request.header.type == proto::IdentityChangeNews::type) {
        std::optional<Admission> now;
        store_.read([&](Transaction& tx) { now = read_again(tx, admission); });
        identity = prove_identity_change(*now->server, from_json<proto::IdentityChangeNews>(request.body));
    }
    // Effect and reply are stored together (S21): a crash before the commit leaves neither, one after it
    // leaves both, and the repeated request finds its reply. No gpg runs in here: writers wait for each
    // other.
    store_.transact([&](Transaction& tx) {
        out = {};
        if (auto kept = kept_reply(tx, request)) {
            out.reply = std::move(*kept);
            out.name = "repeated";
            return;
        }
        if (authenticated.former)
            throw replaced(admission.server->uuid, request.header.from, admission.server->identity);
        if (route == nullptr)
            throw Error(ErrorKind::protocol,
                        "unknown message type \"" + printable_line(request.header.type, 60) + "\"");
        if (route->caller != admission.role)
            throw Error(ErrorKind::forbidden,
                        "\"" + request.header.type + "\" is not for " +
                            (admission.role == Role::agent ? "an agent" : "this sender"));
        const Admission caller = read_again(tx, admission);
        const Context context{tx,
                              caller,
                              authenticated.key ? &*authenticated.key : nullptr,
                              clock_.now(),
                              lease_,
                              out.wake,
                              challenge ? &*challenge : nullptr,
                              identity ? &*identity : nullptr};
        Json body = route->run(context, request.body);
        out.reply = proto::encode(proto::reply_header(request, clock_), std::move(body));
        out.name = "ok";
        keep_reply(tx, request, out.reply, context.now_ms());
        note_key_pin(tx, request.header, context.now_ms());
    });
    for (const auto& server : out.wake) listener_(server);
    return out;
}

MessageApi::Outcome MessageApi::refuse(const Admission& admission, const Authenticated& authenticated,
                                       const Error& error) {
    const proto::Message& request = authenticated.message;
    log_event(Level::warning, "DISPATCHER_REQUEST_REFUSED", "{} from {} {}: {}: {}",
              printable_line(request.header.type, 60), name(admission.role), request.header.from,
              name(error.kind()), error.text());
    const proto::Message reply = proto::error_reply(request, error, clock_);
    Outcome out;
    out.name = name(error.kind());
    const AuditEntry entry =
        refusal_entry(admission, request.header.from, printable_line(request.header.type, 60), error);
    const bool audited = is_audited(admission);
    store_.transact([&](Transaction& tx) {
        out.reply = reply;
        if (audited) tx.append_audit(entry);
        const auto seen = tx.find_reply(request.header.from, request.header.id);
        if (!seen) {
            keep_reply(tx, request, reply, to_millis(clock_.now()));
        } else if (seen->digest == request.digest()) {  // its repetition was faster
            out.reply = *kept_reply(tx, request);
        }  // otherwise that other message keeps its own reply
    });
    return out;
}

// The effect is committed by now: whatever fails here, the repeated request gets this reply.
Bytes MessageApi::seal(const proto::Message& reply, const Authenticated& authenticated) {
    try {
        return authenticator_.seal(authenticator_.from_me(reply, authenticated.message), authenticated.peer);
    } catch (const Error& error) {
        throw Error(ErrorKind::internal, "the reply could not be sealed: " + error.text());
    }
}

AuditEntry MessageApi::refusal_entry(const Admission& admission, const std::string& actor,
                                     const std::string& action, const Error& error) const {
    AuditEntry entry;
    entry.id = random_uuid();
    entry.time = to_millis(clock_.now());
    entry.owner = admission.owner();
    entry.actor = actor.empty() ? std::string(name(admission.role)) : actor;
    entry.action = action;
    entry.object = admission.server ? admission.server->uuid : "";
    entry.outcome = name(error.kind());
    entry.text = printable_line(error.text(), 1500);
    return entry;
}

// By what the gate knew, never by what a message claims: codes are single-use and the peers are known.
bool MessageApi::is_audited(const Admission& admission) {
    const std::string identity = admission.code ? admission.code->hash : admission.fingerprint();
    if (refusals_.admit(identity, admission.owner(), to_millis(clock_.now()))) return true;
    metrics_.refusal_suppressed();
    return false;
}

void MessageApi::on_work(std::function<void(const std::string&)> listener) {
    listener_ = std::move(listener);
}

void MessageApi::still_waits(const std::string& server) {
    presence_.seen(server, to_millis(clock_.now()));
}

void MessageApi::require_ready() {
    store_.require_writable(to_millis(clock_.now()));
}

void MessageApi::write_down(bool ending) {
    const std::int64_t now = to_millis(clock_.now());
    const auto present = presence_.take(now);
    const auto refusals = ending ? refusals_.take_all() : refusals_.take_ended(now);
    std::vector<AuditEntry> entries;
    for (const auto& refusal : refusals) {
        AuditEntry entry;
        entry.id = random_uuid();
        entry.time = now;
        entry.owner = refusal.owner;
        entry.actor = refusal.actor;
        entry.action = "refusals";
        entry.outcome = name(ErrorKind::refused);
        entry.text = std::to_string(refusal.count) + " more refusals of this identity, not listed one by one";
        entries.push_back(std::move(entry));
    }
    if (present.empty() && entries.empty()) return;
    store_.transact([&](Transaction& tx) {
        tx.touch_presence(present, now);
        for (const auto& entry : entries) tx.append_audit(entry);
    });
}

std::string MessageApi::metrics() {
    // Without the database the rest is still worth knowing.
    try {
        Counts counts;
        store_.read([&](Transaction& tx) { counts = tx.counts(); });
        metrics_.counts(counts);
    } catch (const Error& error) {
        log_event(Level::debug, "DISPATCHER_METRICS_PARTIAL", "{}", error.text());
    }
    return metrics_.text();
}

}  // namespace strongroom::dispatcher
