#include "dispatcher/app/state.hpp"

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::dispatcher {
namespace fs = std::filesystem;

State open_state(const fs::path& folder) {
    State state(fs::absolute(folder));
    if (!fs::exists(state.database))
        throw Error(ErrorKind::not_found, "there is no dispatcher in " + folder.string(),
                    "Make one with: strongroom-dispatcher --state-dir " + folder.string() + " init");
    for (const auto& each : {state.folder, state.home}) make_private_dir(each);  // checks them
    return state;
}

std::unique_ptr<SqliteStore> open_store(const State& state) {
    return SqliteStore::open(state.database, SqliteStore::Use::command);
}

UtcTime parse_time(const std::string& text) {
    try {
        return parse_utc(text.size() == 10 ? text + "T00:00:00Z" : text);
    } catch (const Error&) {
        throw Error(ErrorKind::usage, "not a day or a moment: \"" + text + "\"",
                    "As in: --since 2026-11-22, or --since 2026-11-22T01:37:00Z (UTC).");
    }
}

AuditEntry operator_entry(const Clock& clock, const std::string& action, const std::string& object,
                          const std::string& text) {
    AuditEntry entry;
    entry.id = random_uuid();
    entry.time = to_millis(clock.now());
    entry.actor = "operator";
    entry.action = action;
    entry.object = object;
    entry.outcome = "ok";
    entry.text = text;
    return entry;
}

std::string read_own_fingerprint(const State& state) {
    const Bytes text = read_file(state.public_key, gpg::max_public_key);
    const std::string fingerprint = gpg::inspect_public_key(text).fingerprint;
    const gpg::Key key = gpg::find_key(gpg::Home::use(state.home), fingerprint, true);
    if (key.subkeys.empty() || !key.subkeys.front().secret)
        throw Error(ErrorKind::crypto,
                    "the secret key of " + fingerprint + " is not in " + state.home.string(),
                    "Restore the folder from its backup.");
    return fingerprint;
}

OwnKeys read_own_keys(const State& state, Store& store) {
    std::vector<KeyChange> changes;
    store.read([&](Transaction& tx) { changes = tx.list_key_changes(); });
    if (changes.empty()) return own_keys(changes, read_own_fingerprint(state));
    OwnKeys out = own_keys(changes, {});
    if (gpg::inspect_public_key(read_file(state.public_key, gpg::max_public_key)).fingerprint != out.current)
        write_file_atomic(state.public_key, gpg::export_public(gpg::Home::use(state.home), out.current),
                          0644);
    read_own_fingerprint(state);
    return out;
}

}  // namespace strongroom::dispatcher
