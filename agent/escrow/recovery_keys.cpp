#include "agent/escrow/recovery_keys.hpp"

#include <algorithm>

#include "agent/escrow/escrow.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::agent {
namespace {

constexpr std::size_t kept_changes = 500;

std::string joined(const std::vector<std::string>& fingerprints) {
    std::string out;
    for (const auto& one : fingerprints) out += (out.empty() ? "" : ", ") + one;
    return out.empty() ? "none" : out;
}

// What will be pinned, and what that changes.
RecoveryChange apply(const RecoveryChangeOrder& order, RecoveryState& state) {
    RecoveryChange out;
    for (const auto& fingerprint : order.remove) {
        if (!state.pins(fingerprint))
            throw Error(ErrorKind::not_found,
                        "recovery key " + group_fingerprint(fingerprint) + " is not pinned on this host",
                        "strongroom-agent recovery-key list shows those that are.");
        std::erase(state.keys, fingerprint);
        out.removed.push_back(fingerprint);
    }
    for (const auto& key : order.add) {
        if (std::ranges::find(out.removed, key.fingerprint) != out.removed.end())
            throw Error(ErrorKind::usage, "recovery key " + group_fingerprint(key.fingerprint) +
                                              " is to be added and removed at once");
        (state.pins(key.fingerprint) ? out.renewed : out.added).push_back(key.fingerprint);
        if (!state.pins(key.fingerprint)) state.keys.push_back(key.fingerprint);
    }
    if (state.keys.empty())
        throw Error(ErrorKind::refused, "the last recovery key cannot be removed",
                    "Without one nobody could open the backups after a loss of this host. Add another first: "
                    "strongroom-agent recovery-key add FILE");
    if (state.keys.size() > max_recovery_keys)
        throw Error(ErrorKind::refused,
                    "more than " + std::to_string(max_recovery_keys) + " recovery keys cannot be pinned");
    return out;
}

}  // namespace

RecoveryKey inspect_recovery_key(Bytes public_key, const std::optional<std::string>& expected) {
    const gpg::Key key = gpg::inspect_public_key(public_key, expected);
    return {std::move(public_key), key.fingerprint, key.user_id};
}

RecoveryKey read_recovery_key(const std::filesystem::path& file, const std::optional<std::string>& expected) {
    Bytes bytes = read_file(file, gpg::max_public_key);
    try {
        return inspect_recovery_key(std::move(bytes), expected);
    } catch (const Error& error) {
        throw error.with_context("recovery key " + file.string());
    }
}

RecoveryState change_recovery_keys(const StateDir& state, const RecoveryChangeOrder& order,
                                   const Clock& clock) {
    const FileLock alone = state.lock_escrow();
    RecoveryState next = state.recovery();
    if (order.sequence && *order.sequence != next.sequence + 1)
        throw Error(ErrorKind::refused, "it is for change " + std::to_string(*order.sequence) +
                                            " of the recovery keys; the next one here is " +
                                            std::to_string(next.sequence + 1));
    RecoveryChange change = apply(order, next);
    const gpg::Home home = gpg::Home::use(state.recovery_home());
    // A key in this home that is not pinned opens nothing: records are encrypted to the pinned ones by name.
    for (const auto& key : order.add) gpg::import_public_key(home, key.public_key, key.fingerprint);
    AgentRecord agent = state.agent();
    agent.recovery = next.keys;
    make_escrow_record(state, agent);  // tried first: an expired key would hold up every record
    change.sequence = ++next.sequence;
    change.time = to_millis(clock.now());
    change.by = order.by;
    change.statement = order.statement;
    next.changes.push_back(change);
    if (next.changes.size() > kept_changes) next.changes.erase(next.changes.begin());
    state.save(next);
    log_event(Level::warning, "AGENT_RECOVERY_KEYS_CHANGED",
              "by {}: added {}; removed {}; renewed {}; pinned now: {} (change {})", change.by,
              joined(change.added), joined(change.removed), joined(change.renewed), joined(next.keys),
              next.sequence);
    return next;
}

}  // namespace strongroom::agent
