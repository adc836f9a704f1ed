#include "agent/escrow/stored_records.hpp"

#include "common/backupset/escrow_index.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/gpg/home.hpp"

namespace strongroom::agent {
namespace {

backupset::IndexedRecord indexed(const Deposit& deposit) {
    backupset::IndexedRecord out;
    out.subkey = deposit.subkey;
    out.sequence = deposit.sequence.value_or(0);
    out.sha256 = deposit.sha256;
    out.recipients = deposit.recipients;
    out.deposited = deposit.in_store.value_or(0);
    out.replaced = deposit.replaced;
    out.kept = !deposit.replaced || deposit.kept;
    return out;
}

}  // namespace

void keep_replaced_record(storage::ObjectStore& store, const std::string& server, const Deposit& next,
                          const std::vector<std::string>& registered, EscrowState& known, std::int64_t now) {
    const std::int64_t sequence = next.sequence.value_or(0);
    if (sequence == 0) return;  // the recovery keys were never changed
    const auto there = backupset::read_escrow_record(store, server, next.subkey);
    if (!there) return;
    const std::string digest = sha256_hex(*there);
    Deposit* noted = known.find_record(next.subkey, digest);
    const Deposit* last = known.find(next.subkey);
    if (noted == nullptr && last == nullptr) {  // deposited before deposits of older subkeys were noted
        if (!known.superseded) known.superseded.emplace();
        noted =
            &known.superseded->emplace_back(Deposit{next.subkey, digest, registered, {}, now, 0, now, {}});
    }
    // One that nobody noted was put by a deposit that a crash ended, after the one before it was kept.
    const std::int64_t of = (noted != nullptr ? *noted : *last).sequence.value_or(0);
    if (of == sequence) return;
    backupset::keep_escrow_record(store, server, next.subkey, of, *there);
    if (noted != nullptr) noted->kept = now;
}

void write_escrow_index(const StateDir& state, const EscrowState& escrow, storage::ObjectStore& store,
                        const Clock& clock) {
    const RecoveryState pinned = state.recovery();
    if (pinned.sequence == 0) return;
    const AgentRecord agent = state.agent();
    backupset::EscrowIndex index;
    index.server = agent.server;
    index.made = to_millis(clock.now());
    index.sequence = pinned.sequence;
    index.recovery = pinned.keys;
    if (escrow.in_store) index.records.push_back(indexed(escrow));
    for (const auto* list : {&escrow.older, &escrow.superseded})
        if (*list)
            for (const auto& deposit : **list)
                if (deposit.in_store) index.records.push_back(indexed(deposit));
    backupset::write_escrow_index(store, index, gpg::Home::use(state.own_home()), agent.identity);
}

}  // namespace strongroom::agent
