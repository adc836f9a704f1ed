#include "agent/escrow/recovery_statement.hpp"

#include <algorithm>
#include <set>

#include "agent/escrow/recovery_keys.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/home.hpp"
#include "proto/statement_messages.hpp"

namespace strongroom::agent {
namespace {

using proto::RecoveryKeysStatement;
using Fingerprints = std::set<std::string>;

constexpr std::chrono::minutes clock_difference{10};
constexpr const char* told_by_escrow =
    "If the dispatcher does not know the present ones (strongroom recovery-key list), an escrow job tells "
    "it: "
    "strongroom job create --kind escrow";

struct Signed {
    RecoveryKeysStatement content;
    std::string signer;
};

// By one of the keys that are pinned now: its home may hold others.
Signed verify(const StateDir& state, const RecoveryState& pinned, BytesView statement) {
    const gpg::Home home = gpg::Home::use(state.recovery_home());
    std::string problem;
    for (const auto& fingerprint : pinned.keys) {
        try {
            return {proto::open_statement<RecoveryKeysStatement>(statement, {home, fingerprint}),
                    fingerprint};
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::unauthenticated) throw;
            problem = error.text();
        }
    }
    throw Error(ErrorKind::unauthenticated,
                "no recovery key that is pinned on this host signed the statement: " + problem);
}

Fingerprints as_set(const std::vector<std::string>& list, const char* what) {
    Fingerprints out(list.begin(), list.end());
    if (out.size() != list.size())
        throw Error(ErrorKind::protocol, std::string("the statement names a key twice in \"") + what + "\"");
    return out;
}

void require_fresh(const RecoveryKeysStatement& content, UtcTime now) {
    const UtcTime made = from_millis(content.made);
    const UtcTime expires = from_millis(content.expires);
    if (made > now + clock_difference)
        throw Error(ErrorKind::refused, "the statement is of the future: " + format_utc(made));
    if (expires <= now)
        throw Error(ErrorKind::refused, "the statement has expired at " + format_utc(expires));
    if (expires - made > longest_statement_validity)
        throw Error(ErrorKind::refused, "the statement is valid for more than seven days");
}

RecoveryChangeOrder order_of(const Signed& statement, const RecoveryState& pinned, std::string digest) {
    const auto& content = statement.content;
    if (as_set(content.previous, "previous") != as_set(pinned.keys, "pinned"))
        throw Error(ErrorKind::refused,
                    "the statement was made for other recovery keys than those pinned on this host",
                    told_by_escrow);
    const Fingerprints next = as_set(content.recovery, "recovery");
    RecoveryChangeOrder out;
    out.by = statement.signer;
    out.statement = std::move(digest);
    out.sequence = content.sequence;
    Fingerprints brought;
    for (const auto& armored : content.keys) {
        out.add.push_back(inspect_recovery_key(armored));
        const std::string& fingerprint = out.add.back().fingerprint;
        if (!next.contains(fingerprint) || !brought.insert(fingerprint).second)
            throw Error(ErrorKind::protocol, "the statement brings the key " +
                                                 group_fingerprint(fingerprint) +
                                                 ", which it does not name, or brings it twice");
    }
    for (const auto& fingerprint : next)
        if (!pinned.pins(fingerprint) && !brought.contains(fingerprint))
            throw Error(ErrorKind::protocol, "the statement names the key " + group_fingerprint(fingerprint) +
                                                 ", which is not pinned here, and does not bring it");
    for (const auto& fingerprint : pinned.keys)
        if (!next.contains(fingerprint)) out.remove.push_back(fingerprint);
    return out;
}

}  // namespace

std::string apply_recovery_statement(const StateDir& state, BytesView statement, bool allowed,
                                     const Clock& clock) {
    const RecoveryState pinned = state.recovery();
    std::string digest = sha256_hex(statement);
    for (const auto& change : pinned.changes)
        if (change.statement == digest) return "applied before, as change " + std::to_string(change.sequence);
    if (!allowed)
        throw Error(ErrorKind::refused, "this host takes no statements about its recovery keys",
                    "Its operator decides: allow-recovery-key-statements = true in agent.toml, or "
                    "strongroom-agent recovery-key on the host.");
    const Signed read = verify(state, pinned, statement);
    if (read.content.server != state.agent().server)
        throw Error(ErrorKind::refused, "the statement is for another server, " + read.content.server);
    require_fresh(read.content, clock.now());
    if (read.content.sequence != pinned.sequence + 1)
        throw Error(ErrorKind::refused,
                    "the statement is for change " + std::to_string(read.content.sequence) +
                        " of the recovery keys; the next one here is " + std::to_string(pinned.sequence + 1),
                    told_by_escrow);
    const RecoveryState now = change_recovery_keys(state, order_of(read, pinned, std::move(digest)), clock);
    return "change " + std::to_string(now.sequence) + ", signed by " + group_fingerprint(read.signer) + "; " +
           std::to_string(now.keys.size()) + " recovery key(s) are pinned now";
}

}  // namespace strongroom::agent
