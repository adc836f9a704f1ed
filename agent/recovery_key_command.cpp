// `strongroom-agent recovery-key list | add | remove`: who may open this host's backups.
#include <algorithm>
#include <iostream>

#include "agent/commands.hpp"
#include "agent/escrow/escrow.hpp"
#include "agent/escrow/recovery_keys.hpp"
#include "agent/identity/connection.hpp"
#include "agent/job/job_store.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/term/table.hpp"

namespace strongroom::agent {
namespace {

// Records that were deposited for these keys and are not in force any more.
std::vector<Deposit> superseded_for(const StateDir& state, const std::vector<std::string>& keys) {
    std::vector<Deposit> out;
    const auto escrow = state.escrow();
    if (!escrow || !escrow->superseded) return out;
    for (const auto& deposit : *escrow->superseded)
        if (std::ranges::any_of(keys, [&](const std::string& key) {
                return std::ranges::find(deposit.recipients, key) != deposit.recipients.end();
            }))
            out.push_back(deposit);
    return out;
}

Json as_json(const std::vector<Deposit>& deposits) {
    Json out = Json::array();
    for (const auto& deposit : deposits) out.push_back(to_json(deposit));
    return out;
}

void list(const CommandLine& line, const StateDir& state, const Clock& clock) {
    const RecoveryState pinned = state.recovery();
    const std::int64_t registered = state.agent().registered;
    const gpg::Home home = gpg::Home::use(state.recovery_home());
    const auto due = due_escrow(state, true);
    Json keys = Json::array();
    term::Table table({{"FINGERPRINT"}, {"NAME"}, {"ENCRYPTION KEY"}, {"PINNED SINCE"}});
    for (const auto& fingerprint : pinned.keys) {
        const gpg::Key key = gpg::find_key(home, fingerprint);
        const gpg::Subkey* usable = key.encryption_subkey();
        std::int64_t since = registered;
        for (const auto& change : pinned.changes)
            if (std::ranges::find(change.added, fingerprint) != change.added.end()) since = change.time;
        std::string state_of_key = usable == nullptr ? "NOT USABLE" : "usable";
        if (usable != nullptr && usable->expires)
            state_of_key +=
                (*usable->expires <= clock.now() ? ", expired " : " until ") + format_utc(*usable->expires);
        table.add({fingerprint, key.user_id, state_of_key, format_utc(from_millis(since))});
        keys.push_back({{"fingerprint", fingerprint},
                        {"name", key.user_id},
                        {"usable", usable != nullptr},
                        {"pinned", since}});
        if (usable != nullptr && usable->expires) keys.back()["expires"] = to_millis(*usable->expires);
    }
    if (line.json) {
        Json changes = Json::array();
        for (const auto& change : pinned.changes) changes.push_back(to_json(change));
        std::cout
            << Json{{"sequence", pinned.sequence}, {"keys", keys}, {"changes", changes}, {"due", due}}.dump()
            << "\n";
        return;
    }
    table.print(std::cout, "no recovery key");
    if (!due.empty())
        std::cout << "WARNING: " << due.size()
                  << " decryption subkey(s) have no escrow record for exactly these keys yet. Run: "
                     "strongroom-agent escrow\n";
}

void print_change(const RecoveryState& pinned, const std::vector<Deposit>& deposits, bool local) {
    std::cout << "The recovery keys of this host are changed (change " << pinned.sequence
              << "). Pinned now, each of them opens the escrow alone:\n";
    for (const auto& fingerprint : pinned.keys) std::cout << "  " << group_fingerprint(fingerprint) << "\n";
    std::cout << "New escrow records for exactly these keys: " << deposits.size() << ", in the store"
              << (local ? "" : " and at the dispatcher")
              << ". Records for former keys are kept and marked.\n";
}

// In plain words, what a change does not do.
void print_consequences(const RecoveryChange& change, std::size_t superseded) {
    for (const auto& fingerprint : change.added)
        std::cout
            << group_fingerprint(fingerprint)
            << " opens every set whose key is in escrow, older sets, too. That its owner has the secret is "
               "not proven yet: strongroom prove.\n";
    for (const auto& fingerprint : change.removed)
        std::cout
            << group_fingerprint(fingerprint) << " is removed and STILL OPENS:\n"
            << "  - the records that were made for it: " << superseded
            << " in the store and as many at the dispatcher, and every copy of them\n"
            << "  - with them all sets that lie in the store now, and new ones until the keys are rotated\n"
            << "To close new backups to it:      strongroom-agent rotate\n"
            << "To close the sets there are:     strongroom-agent rotate --reencrypt, and remove older "
               "copies of the store\n"
            << "What its owner has read or copied already stays known.\n";
}

void change(const CommandLine& line, const StateDir& state, const Clock& clock) {
    RecoveryChangeOrder order;
    const auto& options = line.recovery_key;
    if (line.command == "recovery-key add") {
        std::optional<std::string> expected;
        if (!options.fingerprint.empty()) expected = parse_fingerprint(options.fingerprint);
        order.add.push_back(read_recovery_key(options.file, expected));
    } else {
        order.remove.push_back(parse_fingerprint(options.fingerprint));
    }
    require_backup_settings(line.config);
    const RecoveryState pinned = change_recovery_keys(state, order, clock);
    std::vector<Deposit> deposits;
    try {
        const auto store = open_job_store(line.config, line.config.store);
        std::optional<proto::Exchange> exchange;
        if (!line.local) exchange.emplace(connect(state, state.agent(), clock));
        deposits = deposit_due_escrow(state, *store, exchange ? &*exchange : nullptr, clock);
    } catch (const Error& error) {
        throw Error(error.kind(),
                    "the recovery keys are changed (change " + std::to_string(pinned.sequence) +
                        "), but not every escrow record is for them yet: " + error.text(),
                    error.hint() + (error.hint().empty() ? "" : " ") +
                        "Until then the former records are in force. Run: strongroom-agent escrow. A running "
                        "daemon tries by itself.");
    }
    const RecoveryChange& last = pinned.changes.back();
    const auto superseded = superseded_for(state, last.removed);
    if (line.json) {
        Json out = to_json(last);
        out["keys"] = pinned.keys;
        out["records"] = as_json(deposits);
        out["still_open"] = as_json(superseded);  // with a removed key
        std::cout << out.dump() << "\n";
        return;
    }
    print_change(pinned, deposits, line.local);
    if (!line.quiet) print_consequences(last, superseded.size());
}

}  // namespace

int recovery_key_command(const CommandLine& line, const Clock& clock) {
    const StateDir state(line.config.state_dir);
    state.agent();  // Error{not_found}, with the way to register
    if (line.command == "recovery-key list")
        list(line, state, clock);
    else
        change(line, state, clock);
    return 0;
}

}  // namespace strongroom::agent
