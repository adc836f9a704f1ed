// `key next | switch | retire | list`: the dispatcher's change of its own key, one step at a time. The store
// holds the chain; a dispatcher that serves takes each step within a second.
#include "common/gpg/keys.hpp"

#include <algorithm>
#include <iostream>

#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/key_home.hpp"
#include "dispatcher/app/key_watch.hpp"
#include "dispatcher/app/state.hpp"
#include "dispatcher/health/key_expiry.hpp"
#include "proto/key_statement.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::size_t max_imported_key = 1U << 20U;
constexpr const char* own_backup_hint =
    "Make the dispatcher's own backup now (strongroom-dispatcher backup): an older one lacks this step.\n";

// "dispatcher@DOMAIN" of the current key, with the number of the next one: gpg makes no second key for the
// same user id.
std::string next_user_id(const gpg::Key& current, std::int64_t number) {
    const auto at = current.user_id.rfind('@');
    std::string domain = at == std::string::npos ? "localhost" : current.user_id.substr(at + 1);
    if (domain.ends_with('>')) domain.pop_back();
    return "Strongroom dispatcher key " + std::to_string(number) + " <dispatcher@" + domain + ">";
}

// Must serve those who come back years later, too: it does not expire.
std::string checked_export(const gpg::Home& home, const std::string& fingerprint) {
    std::string exported = gpg::export_public(home, fingerprint);
    const gpg::Key key = gpg::inspect_public_key(exported, fingerprint);
    if (std::ranges::any_of(key.subkeys,
                            [](const gpg::Subkey& subkey) { return subkey.expires.has_value(); }))
        throw Error(ErrorKind::usage, "the key " + group_fingerprint(fingerprint) + " expires",
                    "Who is away until then could not follow the chain any more. Use a key without an end.");
    if (exported.size() > proto::KeyStatement::max_key)
        throw Error(ErrorKind::usage, "the public key is too long for a statement");
    return exported;
}

// Removes a key that came into the home for nothing.
class DropNewKey {
  public:
    DropNewKey(const gpg::Home& home, std::vector<gpg::Key> before)
        : home_(home), before_(std::move(before)) {}
    ~DropNewKey() {
        if (done) return;
        try {
            for (const auto& key : gpg::list_keys(home_, true))
                if (std::ranges::find(before_, key.fingerprint, &gpg::Key::fingerprint) == before_.end())
                    remove_secret_key(home_, key.fingerprint);
        } catch (const std::exception&) {
            // The first error says why.
        }
    }
    DropNewKey(const DropNewKey&) = delete;
    bool done = false;

  private:
    const gpg::Home& home_;
    std::vector<gpg::Key> before_;
};

}  // namespace

void make_next_key(const KeyNextOptions& options) {
    const State state = open_state(options.state);
    const auto store = open_store(state);
    const SystemClock clock;
    const OwnKeys keys = read_own_keys(state, *store);
    std::vector<KeyChange> changes;
    store->read([&](Transaction& tx) { changes = tx.list_key_changes(); });
    if (!keys.next.empty())
        throw Error(ErrorKind::exists, "there is a next key already, " + group_fingerprint(keys.next),
                    "Agents may have pinned it: it cannot be replaced, only switched to "
                    "(strongroom-dispatcher key switch).");
    if (!options.import_key.empty()) require_private_file(options.import_key);

    const gpg::Home home = gpg::Home::use(state.home);
    DropNewKey undo(home, gpg::list_keys(home, true));
    KeyChange change;
    change.sequence = changes.empty() ? 1 : changes.back().sequence + 1;
    change.current = keys.current;
    change.next =
        options.import_key.empty()
            ? gpg::generate_key(
                  home, next_user_id(gpg::find_key(home, keys.current, true), change.sequence + 1), "rsa3072")
            : gpg::import_secret_key(home, Secret(read_file(options.import_key, max_imported_key)));
    change.made = to_millis(clock.now());
    if (change.next == keys.current ||
        std::ranges::any_of(changes, [&](const auto& old) { return old.current == change.next; }))
        throw Error(ErrorKind::usage,
                    "the key " + group_fingerprint(change.next) + " is in the chain already");

    proto::KeyStatement statement;
    statement.sequence = change.sequence;
    statement.current = change.current;
    statement.next = change.next;
    statement.public_key = checked_export(home, change.next);
    statement.made = change.made;
    const Bytes bytes = proto::sign_statement(home, change.current, statement);
    {
        const gpg::TempHome reader(gpg::HomeFor::public_keys);  // as agents and clients will read it
        gpg::import_public_key(reader.home(), gpg::export_public(home, change.current), change.current);
        proto::open_statement<proto::KeyStatement>(bytes, {reader.home(), change.current});
    }
    change.statement = to_base64(bytes);
    const AuditEntry entry =
        operator_entry(clock, "key.next", change.next,
                       "follows " + change.current + ", statement " + std::to_string(change.sequence) +
                           ", sha256 " + sha256_hex(bytes));
    const KeyExpiry expiry = key_expiry(gpg::find_key(home, change.next, true));
    store->transact([&](Transaction& tx) {
        tx.add_key_change(change);
        tx.put_key_expiry(expiry);
        tx.append_audit(entry);
    });
    undo.done = true;
    if (options.json) {
        std::cout
            << Json{{"sequence", change.sequence}, {"current", change.current}, {"next", change.next}}.dump()
            << std::endl;
        return;
    }
    std::cout << "The next key is " << group_fingerprint(change.next) << "\n"
              << "Agents pin it with their next message (within six hours), users with their next command; "
                 "see: strongroom-dispatcher key list\n"
              << own_backup_hint;
}

void switch_key(const KeyStepOptions& options) {
    const State state = open_state(options.state);
    const auto store = open_store(state);
    const SystemClock clock;
    read_own_keys(state, *store);
    const KeyWatch watch = watch_keys(*store, read_own_fingerprint(state));
    if (watch.keys.next.empty())
        throw Error(ErrorKind::not_found, "there is no next key", "Make one: strongroom-dispatcher key next");
    const auto behind = servers_of(watch.without_next);
    if (!behind.empty() && !options.force)
        throw Error(ErrorKind::refused,
                    std::to_string(behind.size()) + " of " + std::to_string(watch.servers) +
                        " servers have not pinned the next key: " + named(behind),
                    "Wait until they have asked again (key list), or use --force: they follow the chain by "
                    "themselves when they come back.");
    if (!has_secret_key(gpg::Home::use(state.home), watch.keys.next))
        throw Error(ErrorKind::crypto,
                    "the secret key of " + watch.keys.next + " is not in " + state.home.string(),
                    "Restore the folder from its backup.");
    const AuditEntry entry = operator_entry(
        clock, "key.switch", watch.keys.next,
        "instead of " + watch.keys.current +
            (behind.empty() ? std::string() : ", forced; to follow the chain: " + named(behind)));
    store->transact([&](Transaction& tx) {
        if (!tx.mark_key_switched(watch.changes.back().sequence, entry.time))
            throw Error(ErrorKind::exists, "the dispatcher has switched to this key already");
        tx.put_service_value("fingerprint", watch.keys.next);
        tx.append_audit(entry);
    });
    read_own_keys(state, *store);  // writes dispatcher.asc
    if (options.json) {
        std::cout << Json{{"current", watch.keys.next},
                          {"former", watch.keys.current},
                          {"behind", behind.size()}}
                         .dump()
                  << std::endl;
        return;
    }
    std::cout << "The dispatcher signs with " << group_fingerprint(watch.keys.next) << " from now on\n"
              << "Build new agents and clients with " << state.public_key.string()
              << "; those that there are go on as they are\n"
              << own_backup_hint;
    if (!behind.empty())
        std::cout << "These will follow the chain when they come back: " << named(behind) << "\n";
}

void retire_keys(const KeyStepOptions& options) {
    const State state = open_state(options.state);
    const auto store = open_store(state);
    const SystemClock clock;
    read_own_keys(state, *store);
    const KeyWatch watch = watch_keys(*store, read_own_fingerprint(state));
    if (watch.keys.former.empty())
        throw Error(ErrorKind::not_found, "there is no former key whose secret part is still here");
    const auto behind = servers_of(watch.before_current);
    if (!behind.empty() && !options.force)
        throw Error(ErrorKind::refused,
                    std::to_string(behind.size()) + " of " + std::to_string(watch.servers) +
                        " servers have not written to the current key yet: " + named(behind),
                    "Wait until they have (key list), or use --force: they follow the chain by themselves.");
    const gpg::Home home = gpg::Home::use(state.home);
    Json removed = Json::array();
    for (const auto& change : watch.changes) {
        if (change.switched == 0 || change.retired != 0) continue;
        // The secret first: one that was noted as removed and still is there would never be looked at again.
        remove_secret_key(home, change.current);
        const AuditEntry entry = operator_entry(
            clock, "key.retire", change.current,
            "its secret part was removed" +
                (behind.empty() ? std::string() : ", forced; to follow the chain: " + named(behind)));
        store->transact([&](Transaction& tx) {
            if (tx.mark_key_retired(change.sequence, entry.time)) tx.append_audit(entry);
        });
        removed.push_back(change.current);
        if (!options.json)
            std::cout << "removed the secret part of " << group_fingerprint(change.current) << "\n";
    }
    if (options.json)
        std::cout << Json{{"retired", std::move(removed)}, {"behind", behind.size()}}.dump() << std::endl;
}

}  // namespace strongroom::dispatcher
