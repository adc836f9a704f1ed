#include "agent/escrow/escrow.hpp"

#include <algorithm>

#include "agent/policy/policy.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/gpg/exported_subkey.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::agent {

Bytes make_escrow_record(const StateDir& state, const AgentRecord& agent) {
    const gpg::Home own = gpg::Home::use(state.own_home());
    const gpg::Home recovery = gpg::Home::use(state.recovery_home());
    Policy::require_pinned(agent.recovery, agent.recovery);
    for (const auto& fingerprint : agent.recovery) gpg::find_key(recovery, fingerprint);
    const Secret exported = gpg::export_secret_subkey(own, agent.subkey);
    gpg::require_only_secret_subkey(exported, agent.identity, agent.subkey);
    const Secret signed_key(gpg::sign(own, agent.identity, exported.reveal()));
    Bytes record = gpg::encrypt_signed(recovery, agent.recovery, signed_key.reveal());
    if (record.empty() || record.size() > proto::max_record)
        throw Error(ErrorKind::crypto, "the escrow record has " + std::to_string(record.size()) +
                                           " bytes, which cannot be right");
    return record;
}

namespace {

void require_listed(storage::ObjectStore& store, const AgentRecord& agent, const std::string& sha256) {
    const auto kept = backupset::read_escrow_records(store, agent.server);
    const bool same = std::ranges::any_of(kept, [&](const auto& entry) {
        return entry.subkey == agent.subkey && sha256_hex(entry.record) == sha256;
    });
    if (!same)
        throw Error(ErrorKind::storage, "the escrow record reads back different from what was written");
}

}  // namespace

EscrowState deposit_escrow(const StateDir& state, const AgentRecord& agent, storage::ObjectStore& store,
                           proto::Exchange* exchange, const Clock& clock) {
    const Bytes record = make_escrow_record(state, agent);
    EscrowState out;
    out.subkey = agent.subkey;
    out.sha256 = sha256_hex(record);
    out.recipients = agent.recovery;

    std::optional<Error> failure;
    try {
        const gpg::Home own = gpg::Home::use(state.own_home());
        backupset::write_store_root(store, agent.server, agent.identity,
                                    gpg::export_public(own, agent.identity));
        if (backupset::write_escrow_record(store, agent.server, agent.subkey, record))
            require_listed(store, agent, out.sha256);
        out.in_store = to_millis(clock.now());
        state.save(out);
    } catch (const Error& error) {
        failure = error.with_context("escrow into the store " + store.label());
    }
    if (exchange != nullptr) {
        proto::EscrowDeposit deposit;
        deposit.subkey = agent.subkey;
        deposit.record = to_base64(record);
        deposit.recipients = agent.recovery;
        const KeyState keys = state.keys();  // the dispatcher knows the key as it was registered
        if (keys.rotation || keys.subkeys.size() > 1)
            deposit.public_key = gpg::export_public(gpg::Home::use(state.own_home()), agent.identity);
        const auto reply = exchange->ask(deposit);
        if (reply.sha256 != out.sha256)
            throw Error(ErrorKind::corrupt,
                        "the dispatcher keeps another escrow record than the one deposited (SHA-256 " +
                            reply.sha256 + " instead of " + out.sha256 + ")",
                        "Deposit again; if this repeats, do not rely on that dispatcher.");
        out.at_dispatcher = to_millis(clock.now());
        state.save(out);
    }
    if (failure) throw *failure;
    log_event(Level::info, "AGENT_ESCROW_DEPOSITED", "subkey {} for {} recovery key(s), in the store{}",
              agent.subkey, agent.recovery.size(), exchange != nullptr ? " and at the dispatcher" : "");
    return out;
}

bool is_escrowed(const StateDir& state, const AgentRecord& agent) {
    const auto escrow = state.escrow();
    return escrow && escrow->subkey == agent.subkey && (escrow->at_dispatcher || escrow->in_store);
}

}  // namespace strongroom::agent
