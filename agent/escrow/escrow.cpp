#include "agent/escrow/escrow.hpp"

#include <algorithm>

#include "agent/escrow/stored_records.hpp"
#include "agent/policy/policy.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/gpg/exported_subkey.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "common/gpg/packets.hpp"

namespace strongroom::agent {

namespace {

// The identity key that this subkey was made under.
std::string primary_of(const gpg::Home& own, const std::string& subkey) {
    for (const auto& key : gpg::list_keys(own, true))
        if (key.owns(subkey)) return key.fingerprint;
    throw Error(ErrorKind::crypto, "this host has no key with the decryption subkey " + subkey);
}

}  // namespace

Bytes make_escrow_record(const StateDir& state, const AgentRecord& agent) {
    const gpg::Home own = gpg::Home::use(state.own_home());
    const gpg::Home recovery = gpg::Home::use(state.recovery_home());
    Policy::require_pinned(agent.recovery, agent.recovery);
    for (const auto& fingerprint : agent.recovery) gpg::find_key(recovery, fingerprint);
    const Secret exported = gpg::export_secret_subkey(own, agent.subkey);
    gpg::require_only_secret_subkey(exported, primary_of(own, agent.subkey), agent.subkey);
    const Secret signed_key(gpg::sign(own, agent.identity, exported.reveal()));
    Bytes record = gpg::encrypt_signed(recovery, agent.recovery, signed_key.reveal());
    if (record.empty() || record.size() > proto::max_record)
        throw Error(ErrorKind::crypto, "the escrow record has " + std::to_string(record.size()) +
                                           " bytes, which cannot be right");
    // Also a form that this project does not read back (a newer gpg can make one) is refused here.
    if (const auto ids = gpg::recipient_key_ids(record); ids.size() != agent.recovery.size())
        throw Error(ErrorKind::crypto, "the escrow record is for " + std::to_string(ids.size()) +
                                           " keys instead of " + std::to_string(agent.recovery.size()));
    return record;
}

namespace {

// One record on its way. Hold the escrow lock.
class Depositing {
  public:
    Depositing(const StateDir& state, const std::string& subkey, storage::ObjectStore& store,
               const Clock& clock, const std::optional<std::string>& identity)
        : state_(state),
          store_(store),
          clock_(clock),
          agent_(state.agent()),
          coming_(identity),
          keys_(state.keys()),
          known_(state.escrow().value_or(EscrowState{})) {
        is_older_ = keys_.knows(subkey) && keys_.current().fingerprint != subkey;
        agent_.subkey = subkey;
        if (coming_) agent_.identity = *coming_;
        record_ = make_escrow_record(state, agent_);
        out_.subkey = subkey;
        out_.sha256 = sha256_hex(record_);
        out_.recipients = agent_.recovery;
        out_.sequence = state.recovery().sequence;
    }

    void into_store() {
        const gpg::Home own = gpg::Home::use(state_.own_home());
        if (!coming_)
            backupset::write_store_root(store_, agent_.server, agent_.identity,
                                        gpg::export_public(own, agent_.identity));
        keep_replaced_record(store_, agent_.server, out_, state_.registered_recovery(), known_,
                             to_millis(clock_.now()));
        if (!known_.subkey.empty()) state_.save(known_);  // before it takes its place
        if (backupset::write_escrow_record(store_, agent_.server, agent_.subkey, record_)) require_listed();
        // Noted last: until then it is due, and all of this is done again.
        Deposit done = out_;
        done.in_store = to_millis(clock_.now());
        EscrowState noted = known_;
        noted.note(done, is_older_, to_millis(clock_.now()));
        write_escrow_index(state_, noted, store_, clock_);
        out_ = std::move(done);
        note();
    }

    void at_dispatcher(proto::Exchange& exchange) {
        proto::EscrowDeposit deposit;
        deposit.subkey = agent_.subkey;
        deposit.record = to_base64(record_);
        deposit.recipients = agent_.recovery;
        if (out_.sequence.value_or(0) > 0) deposit.recovery_sequence = out_.sequence;
        // The dispatcher knows the key as it was registered.
        if (coming_ || keys_.rotation || keys_.subkeys.size() > 1)
            deposit.public_key = gpg::export_public(gpg::Home::use(state_.own_home()),
                                                    coming_ ? *coming_ : state_.dispatcher_identity());
        const auto reply = exchange.ask(deposit);
        if (reply.sha256 != out_.sha256)
            throw Error(ErrorKind::corrupt,
                        "the dispatcher keeps another escrow record than the one deposited (SHA-256 " +
                            reply.sha256 + " instead of " + out_.sha256 + ")",
                        "Deposit again; if this repeats, do not rely on that dispatcher.");
        out_.at_dispatcher = to_millis(clock_.now());
        note();
    }

    const Deposit& deposit() const { return out_; }

  private:
    void note() {
        known_.note(out_, is_older_, to_millis(clock_.now()));
        state_.save(known_);
    }

    void require_listed() const {
        const auto kept = backupset::read_escrow_records(store_, agent_.server);
        const bool same = std::ranges::any_of(kept, [&](const auto& entry) {
            return entry.subkey == agent_.subkey && sha256_hex(entry.record) == out_.sha256;
        });
        if (!same)
            throw Error(ErrorKind::storage, "the escrow record reads back different from what was written");
    }

    const StateDir& state_;
    storage::ObjectStore& store_;
    const Clock& clock_;
    AgentRecord agent_;
    const std::optional<std::string> coming_;
    const KeyState keys_;
    EscrowState known_;
    bool is_older_ = false;
    Bytes record_;
    Deposit out_;
};

}  // namespace

Deposit deposit_escrow(const StateDir& state, const std::string& subkey, storage::ObjectStore& store,
                       proto::Exchange* exchange, const Clock& clock,
                       const std::optional<std::string>& identity) {
    const FileLock alone = state.lock_escrow();
    Depositing deposit(state, subkey, store, clock, identity);
    std::optional<Error> failure;
    try {
        deposit.into_store();
    } catch (const Error& error) {
        failure = error.with_context("escrow into the store " + store.label());
    }
    if (exchange != nullptr) deposit.at_dispatcher(*exchange);
    if (failure) throw *failure;
    const Deposit& out = deposit.deposit();
    log_event(Level::info, "AGENT_ESCROW_DEPOSITED", "subkey {} for {} recovery key(s), in the store{}",
              out.subkey, out.recipients.size(), exchange != nullptr ? " and at the dispatcher" : "");
    return out;
}

std::vector<std::string> due_escrow(const StateDir& state, bool at_dispatcher) {
    const auto escrow = state.escrow();
    const std::int64_t sequence = state.recovery().sequence;
    std::vector<std::string> out;
    const KeyState keys = state.keys();
    for (auto known = keys.subkeys.rbegin(); known != keys.subkeys.rend(); ++known) {
        const bool in_use = known == keys.subkeys.rbegin();
        const Deposit* last = escrow ? escrow->find(known->fingerprint) : nullptr;
        // Deposits of older subkeys are noted since the recovery keys can change; the first set has them.
        const bool done = last == nullptr ? !in_use && sequence == 0
                                          : last->sequence.value_or(0) == sequence && last->in_store &&
                                                (last->at_dispatcher || !at_dispatcher);
        if (!done) out.push_back(known->fingerprint);
    }
    return out;
}

std::vector<Deposit> deposit_due_escrow(const StateDir& state, storage::ObjectStore& store,
                                        proto::Exchange* exchange, const Clock& clock) {
    std::vector<Deposit> out;
    std::optional<Error> first;
    for (const auto& subkey : due_escrow(state, exchange != nullptr)) {
        try {
            out.push_back(deposit_escrow(state, subkey, store, exchange, clock));
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::interrupted) throw;
            if (!first) first = error;
        }
    }
    if (first) throw *first;
    return out;
}

bool is_escrowed(const StateDir& state, const AgentRecord& agent) {
    const auto escrow = state.escrow();
    const Deposit* last = escrow ? escrow->find(agent.subkey) : nullptr;
    return last != nullptr && (last->at_dispatcher || last->in_store);
}

}  // namespace strongroom::agent
