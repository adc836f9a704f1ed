#include "agent/rotation/identity_change.hpp"

#include <algorithm>

#include "agent/escrow/escrow.hpp"
#include "common/backupset/identity_objects.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::agent {
namespace {

constexpr const char* begin_anew = "Begin anew: strongroom-agent identity rotate";

std::vector<KeptIdentityChange> made_changes(const KeyState& keys) {
    return keys.identity_changes.value_or(std::vector<KeptIdentityChange>{});
}

bool is_known(const KeyState& keys, const AgentRecord& agent, const std::string& fingerprint) {
    if (fingerprint == agent.identity) return true;
    if (keys.identity_change && keys.identity_change->next == fingerprint) return true;
    return keys.identities && std::ranges::find(*keys.identities, fingerprint, &KnownIdentity::fingerprint) !=
                                  keys.identities->end();
}

// Keys of a beginning that a crash ended, or of a change that was cancelled.
void delete_unknown_keys(const StateDir& state, const KeyState& keys) {
    const AgentRecord agent = state.agent();
    const gpg::Home own = gpg::Home::use(state.own_home());
    for (const auto& key : gpg::list_keys(own, true))
        if (!is_known(keys, agent, key.fingerprint) &&
            std::ranges::none_of(keys.subkeys, [&](const auto& one) { return key.owns(one.fingerprint); }))
            gpg::delete_key(own, key.fingerprint);
}

// Sends one change; the dispatcher may know the host by either key, if an answer of it was lost.
void send_change(const KeptIdentityChange& kept, const ConnectAs& connect) {
    const auto claim = claim_of(proofs_of(kept));
    const proto::IdentityChangeNews news{kept.current, kept.next, kept.approval, kept.approver_key};
    try {
        connect(claim.current).ask(news);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::forbidden || !kept.approval) throw;
        connect(claim.next).ask(news);
    }
}

// Hold the rotation lock.
void tell_made_changes(const StateDir& state, KeyState& keys, const ConnectAs& connect) {
    if (!keys.identity_changes) return;
    for (auto& kept : *keys.identity_changes) {
        if (kept.told) continue;
        send_change(kept, connect);
        kept.told = true;
        state.save(keys);
    }
}

class IdentitySwitch {
  public:
    IdentitySwitch(const StateDir& state, storage::ObjectStore& store, const Clock& clock,
                   const RotateOptions& options, const ConnectAs& connect)
        : state_(state),
          store_(store),
          clock_(clock),
          options_(options),
          connect_(connect),
          agent_(state.agent()),
          home_(gpg::Home::use(state.own_home())),
          keys_(state.keys()) {}

    void run() {
        if (!keys_.identity_change || keys_.identity_change->step == "pending")
            throw Error(ErrorKind::refused, "no change of the identity key was approved",
                        "The user approves it: strongroom server identity --server " + agent_.server +
                            " --approve FINGERPRINT");
        if (keys_.rotation) throw Error(ErrorKind::busy, "a rotation of the decryption key is under way");
        subkey_ = gpg::find_key(home_, change().next, true).encryption_subkey()->fingerprint;
        if (change().step == "approved") commit();
        if (change().step != "committed")
            throw Error(ErrorKind::corrupt,
                        "keys.json names an unknown step of an identity change: " + change().step);
        if (connect_ && !is_late(std::chrono::hours(24))) tell();
        bring_into_use();
    }

  private:
    IdentityChangeState& change() { return keys_.identity_change.value(); }
    bool is_late(std::chrono::hours before) { return clock_.now() + before >= from_millis(change().expires); }

    void at(const char* name) const {
        if (options_.on_stage) options_.on_stage({name, 0, 0});
        if (options_.stop.stop_requested())
            throw Error(ErrorKind::interrupted, "the identity change was stopped");
    }

    void commit() {
        if (is_late(std::chrono::hours(0)))
            throw Error(ErrorKind::refused,
                        "the identity change has expired at " + format_utc(from_millis(change().expires)),
                        "strongroom-agent identity cancel, then begin anew.");
        at("escrow");
        deposit_escrow(state_, subkey_, store_, nullptr, clock_, change().next);
        at("store");
        backupset::write_identity_change(store_, proofs_of(change().change),
                                         gpg::export_public(home_, agent_.identity));
        at("stored");
        change().step = "committed";
        state_.save(keys_);
    }

    void tell() {
        tell_made_changes(state_, keys_, connect_);
        if (!change().change.told) {
            at("tell");
            send_change(change().change, connect_);
            at("answered");
            change().change.told = true;
            state_.save(keys_);
        }
        at("told");
        auto exchange = connect_(change().next);
        deposit_escrow(state_, subkey_, store_, &exchange, clock_, change().next);
    }

    void bring_into_use() {
        at("wait");
        const auto nothing_sealed = wait_for_backup();
        at("switch");
        const std::int64_t now = to_millis(clock_.now());
        if (!keys_.identities) keys_.identities = {{agent_.identity, agent_.registered, {}}};
        keys_.identities->back().until = std::max(now, change().expires);
        keys_.identities->push_back({change().next, now, {}});
        keys_.subkeys.push_back({subkey_, keys_.current().number + 1, now, {}});
        keys_.rotation = RotationState{"rewrap", subkey_, {}, now, true};
        if (!keys_.identity_changes) keys_.identity_changes.emplace();
        keys_.identity_changes->push_back(change().change);
        keys_.identity_change.reset();
        state_.save(keys_);
        log_event(Level::warning, "AGENT_IDENTITY_CHANGED",
                  "server {}: identity key {} instead of {} signs from now on; subkey {} ({}) is in use",
                  agent_.server, keys_.identities->back().fingerprint, agent_.identity,
                  keys_.current().number, subkey_);
    }

    StateDir::KeyLocks wait_for_backup() const {
        return state_.wait_to_lock_keys([this] {
            if (options_.stop.stop_requested())
                throw Error(ErrorKind::interrupted,
                            "the identity change was stopped while it waited for a backup");
        });
    }

    const StateDir& state_;
    storage::ObjectStore& store_;
    const Clock& clock_;
    const RotateOptions& options_;
    const ConnectAs& connect_;
    const AgentRecord agent_;
    const gpg::Home home_;
    KeyState keys_;
    std::string subkey_;
};

}  // namespace

IdentityChange proofs_of(const KeptIdentityChange& kept) {
    return {from_base64(kept.current), from_base64(kept.next),
            kept.approval ? from_base64(*kept.approval) : Bytes(), kept.approver_key.value_or("")};
}

IdentityChangeState begin_identity_change(const StateDir& state, const std::string& algorithm,
                                          const Clock& clock) {
    const FileLock alone = state.lock_rotation();
    KeyState keys = state.keys();
    const AgentRecord agent = state.agent();
    if (keys.identity_change)
        throw Error(ErrorKind::exists,
                    "a change of the identity key is " + keys.identity_change->step + " already",
                    "Look at it: strongroom-agent identity show");
    if (keys.rotation)
        throw Error(ErrorKind::busy, "a rotation of the decryption key is under way",
                    "End it first: strongroom-agent rotate");
    if (made_changes(keys).size() >= static_cast<std::size_t>(max_identity_changes))
        throw Error(ErrorKind::refused, "this server's identity key was changed as often as it can be");
    delete_unknown_keys(state, keys);
    const gpg::Home own = gpg::Home::use(state.own_home());
    IdentityStatement content;
    content.server = agent.server;
    content.sequence = static_cast<std::int64_t>(made_changes(keys).size()) + 1;
    content.current = agent.identity;
    content.next = gpg::generate_key(
        own, agent.server + "@" + agent.domain,
        algorithm == "same" ? gpg::find_key(own, agent.identity, true).algorithm : algorithm);
    content.public_key = gpg::export_public(own, content.next);
    content.made = to_millis(clock.now());
    content.expires = to_millis(clock.now() + identity_change_validity);
    IdentityChangeState change{"pending", content.next, content.made, content.expires, {}};
    change.change.sequence = content.sequence;
    change.change.current = to_base64(sign_statement(own, content.current, content));
    change.change.next = to_base64(sign_statement(own, content.next, content));
    keys.identity_change = change;
    state.save(keys);
    log_event(Level::warning, "AGENT_IDENTITY_PENDING",
              "server {}: {} is to take the place of {}; it waits for the user's approval until {}",
              agent.server, content.next, content.current, format_utc(from_millis(content.expires)));
    return change;
}

void show_pending_identity(const StateDir& state, storage::ObjectStore& store, const ConnectAs& connect) {
    const auto change = state.keys().identity_change;
    if (!change || change->step != "pending")
        throw Error(ErrorKind::refused, "no change of the identity key is pending", begin_anew);
    backupset::write_pending_identity(store, proofs_of(change->change));
    if (connect) send_change(change->change, connect);
}

void cancel_identity_change(const StateDir& state) {
    const FileLock alone = state.lock_rotation();
    KeyState keys = state.keys();
    if (!keys.identity_change)
        throw Error(ErrorKind::not_found, "no change of the identity key is under way");
    if (keys.identity_change->step == "committed")
        throw Error(ErrorKind::refused,
                    "the change of the identity key is approved and published: it goes on",
                    "End it: strongroom-agent identity rotate");
    keys.identity_change.reset();
    state.save(keys);
    delete_unknown_keys(state, keys);
}

std::string approve_identity_change(const StateDir& state, BytesView approval, const Clock& clock) {
    const FileLock alone = state.lock_rotation();
    KeyState keys = state.keys();
    const std::string text = to_base64(approval);
    for (const auto& made : made_changes(keys))
        if (made.approval == text)
            return "identity change " + std::to_string(made.sequence) + " was made before";
    if (!keys.identity_change)
        throw Error(ErrorKind::refused, "no change of the identity key waits for an approval",
                    "It begins on the host: strongroom-agent identity rotate");
    auto& change = *keys.identity_change;
    if (change.change.approval == text) return "approved before; the change goes on";
    if (change.step != "pending")
        throw Error(ErrorKind::refused, "the change of the identity key is approved already");
    const std::vector<std::string> pinned = state.recovery().keys;
    const gpg::Home home = gpg::Home::use(state.recovery_home());
    gpg::VerifiedBy by;
    try {
        by = gpg::verify_by_one_of(home, pinned, approval, IdentityStatement::max_json);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::crypto) throw;
        throw Error(ErrorKind::unauthenticated,
                    "no recovery key that is pinned on this host signed the approval: " + error.text());
    }
    const auto said = read_statement<IdentityStatement>(by.payload);
    const AgentRecord agent = state.agent();
    if (said.server != agent.server)
        throw Error(ErrorKind::refused, "the approval is for another server, " + said.server);
    if (said.sequence != change.change.sequence)
        throw Error(ErrorKind::refused, "the approval is for identity change " +
                                            std::to_string(said.sequence) + "; the pending one is " +
                                            std::to_string(change.change.sequence));
    const auto statement =
        gpg::read_unverified(from_base64(change.change.current), IdentityStatement::max_json);
    if (said.next != change.next || by.payload != statement)
        throw Error(ErrorKind::refused,
                    "the approval is for another statement than the pending one (new key " +
                        group_fingerprint(said.next) + " instead of " + group_fingerprint(change.next) + ")",
                    "Compare with what this host shows: strongroom-agent identity show");
    if (clock.now() >= from_millis(change.expires))
        throw Error(ErrorKind::refused,
                    "the identity change has expired at " + format_utc(from_millis(change.expires)),
                    "strongroom-agent identity cancel, then begin anew.");
    change.change.approval = text;
    change.change.approver_key = gpg::export_public(home, by.primary);
    change.step = "approved";
    state.save(keys);
    log_event(Level::warning, "AGENT_IDENTITY_APPROVED", "server {}: {} approved the identity key {}",
              agent.server, by.primary, change.next);
    return "identity change " + std::to_string(change.change.sequence) + " to " +
           group_fingerprint(change.next) + " is approved by " + group_fingerprint(by.primary) +
           "; the host makes it now";
}

bool identity_change_goes_on(const StateDir& state) {
    const KeyState keys = state.keys();
    if (keys.identity_change && keys.identity_change->step != "pending") return true;
    if (keys.rotation && keys.rotation->resign.value_or(false)) return true;
    return std::ranges::any_of(made_changes(keys), [](const auto& made) { return !made.told; });
}

void tell_identity_changes(const StateDir& state, const ConnectAs& connect) {
    const FileLock alone = state.lock_rotation();
    KeyState keys = state.keys();
    tell_made_changes(state, keys, connect);
}

RotationResult change_identity(const StateDir& state, storage::ObjectStore& store, const Clock& clock,
                               const RotateOptions& options, const ConnectAs& connect) {
    if (const auto keys = state.keys(); keys.identity_change || !keys.rotation) {
        if (keys.rotation) rotate(state, store, clock, options);  // one that was unfinished
        const FileLock alone = state.lock_rotation();
        IdentitySwitch(state, store, clock, options, connect).run();
    }
    RotateOptions local = options;
    local.exchange = nullptr;  // nothing is deposited from here on
    return rotate(state, store, clock, local);
}

}  // namespace strongroom::agent
