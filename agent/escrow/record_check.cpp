#include "agent/escrow/record_check.hpp"

#include "common/backupset/layout.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"

namespace strongroom::agent {
namespace {

std::string problem_of(const Deposit& deposit, const std::string& key, storage::ObjectStore& store) {
    try {
        const auto found = sha256_hex(store.get(key, proto::max_record).view());
        if (found == deposit.sha256) return "";
        return "is not the one that was deposited (SHA-256 " + found + " instead of " + deposit.sha256 + ")";
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::not_found) return "is gone";
        if (error.kind() == ErrorKind::protocol || error.kind() == ErrorKind::corrupt)
            return "is not the one that was deposited: " + error.text();
        throw;
    }
}

}  // namespace

std::vector<std::string> changed_records(const StateDir& state, storage::ObjectStore& store) {
    std::vector<std::string> out;
    const FileLock no_deposit = state.lock_escrow();  // in the middle of one they differ
    const auto known = state.escrow();
    if (!known) return out;
    const std::string server = state.agent().server;
    const auto look = [&](const Deposit& deposit) {
        if (!deposit.in_store) return;
        const std::string key = backupset::escrow_key(server, deposit.subkey);
        const std::string problem = problem_of(deposit, key, store);
        if (problem.empty()) return;
        out.push_back("the escrow record " + key + " " + problem);
        log_event(Level::error, "AGENT_ESCROW_RECORD_CHANGED", "{}", out.back());
    };
    look(*known);
    for (const auto& deposit : known->older.value_or(std::vector<Deposit>{})) look(deposit);
    return out;
}

void require_unchanged(const std::vector<std::string>& changed) {
    if (changed.empty()) return;
    throw Error(ErrorKind::corrupt,
                changed.front() +
                    (changed.size() > 1 ? " (and " + std::to_string(changed.size() - 1) + " more)" : ""),
                "Find out who changed the store; then deposit it anew: strongroom-agent escrow");
}

}  // namespace strongroom::agent
