#include "agent/state/escrow_records.hpp"

#include <algorithm>

namespace strongroom::agent {
namespace {

constexpr std::size_t kept_superseded = 5'000;

}  // namespace

bool RecoveryState::pins(const std::string& fingerprint) const {
    return std::ranges::find(keys, fingerprint) != keys.end();
}

const Deposit* EscrowState::find(const std::string& of_subkey) const {
    if (subkey == of_subkey) return this;
    if (!older) return nullptr;
    const auto found = std::ranges::find(*older, of_subkey, &Deposit::subkey);
    return found == older->end() ? nullptr : &*found;
}

Deposit* EscrowState::find_record(const std::string& of_subkey, const std::string& digest) {
    const auto is_it = [&](const Deposit& one) { return one.subkey == of_subkey && one.sha256 == digest; };
    if (is_it(*this)) return this;
    for (auto* list : {&older, &superseded}) {
        if (!*list) continue;
        if (const auto found = std::ranges::find_if(**list, is_it); found != (*list)->end()) return &*found;
    }
    return nullptr;
}

void EscrowState::note(const Deposit& deposit, bool is_older, std::int64_t now) {
    if (const Deposit* known = find(deposit.subkey);
        known != nullptr && known->sequence.value_or(0) != deposit.sequence.value_or(0)) {
        if (!superseded) superseded.emplace();
        superseded->push_back(*known);
        superseded->back().replaced = now;
        if (superseded->size() > kept_superseded) superseded->erase(superseded->begin());
    }
    const auto put_aside = [&](const Deposit& one) {
        if (!older) older.emplace();
        std::erase_if(*older, [&](const Deposit& other) { return other.subkey == one.subkey; });
        older->push_back(one);
    };
    if (is_older && !subkey.empty() && deposit.subkey != subkey) return put_aside(deposit);
    if (!subkey.empty() && deposit.subkey != subkey) put_aside(*this);
    if (older) std::erase_if(*older, [&](const Deposit& one) { return one.subkey == deposit.subkey; });
    static_cast<Deposit&>(*this) = deposit;
}

}  // namespace strongroom::agent
