// The dispatcher's own backup, and back.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "common/base/unique_fd.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/key_home.hpp"
#include "dispatcher/app/state.hpp"
#include "dispatcher/audit/chain.hpp"
#include "dispatcher/audit/trail.hpp"
#include "dispatcher/backup/archive.hpp"
#include "dispatcher/store/sqlite/schema.hpp"

namespace strongroom::dispatcher {
namespace {
namespace fs = std::filesystem;

// The head of a trail that is whole. Throws Error{corrupt}.
AuditHead checked_audit(Store& store) {
    ChainCheck check;
    for_each_entry(store, [&](const AuditEntry& entry) { check.next(entry); });
    const auto problems = check.finish();
    if (!problems.empty())
        throw Error(ErrorKind::corrupt, "the audit trail is not whole: " + problems.front(),
                    "See: strongroom-dispatcher audit verify");
    return check.head();
}

OwnKeys keys_of(Store& store, const std::string& root) {
    std::vector<KeyChange> changes;
    store.read([&](Transaction& tx) { changes = tx.list_key_changes(); });
    return own_keys(changes, root);
}

void sync_file_system(const fs::path& folder) {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::syncfs(fd.get()) != 0)
        throw system_error(ErrorKind::storage, "cannot sync " + folder.string(), errno);
}

}  // namespace

void back_up(const BackupOptions& options) {
    if (options.recipient.empty())
        throw Error(ErrorKind::config, "no recipient is set for the dispatcher's own backup",
                    "Set backup-recipient to a file with the operator's OpenPGP public key.");
    if (fs::exists(options.to))
        throw Error(ErrorKind::exists, options.to.string() + " exists already; nothing was changed");
    const SystemClock clock;
    const State state = open_state(options.state);
    const gpg::TempHome home(gpg::HomeFor::public_keys);
    std::optional<std::string> expected;
    if (!options.recipient_fingerprint.empty()) expected = parse_fingerprint(options.recipient_fingerprint);
    const std::string recipient =
        gpg::import_public_key(home.home(), read_file(options.recipient, gpg::max_public_key), expected)
            .fingerprint;

    const TempDir work(state.folder, ".backup");
    ArchiveContent content;
    content.database = work.path() / archive_database;
    const auto store = open_store(state);
    store->copy_to(content.database);
    ArchiveManifest& manifest = content.manifest;
    read_own_keys(state, *store);  // a change of key that was cut off ends first
    OwnKeys keys;
    {
        const auto copy = SqliteStore::open(content.database);
        copy->require_sound();
        const AuditHead head = checked_audit(*copy);
        manifest.audit_entries = head.seq;
        manifest.audit_head = head.hash;
        keys = keys_of(*copy, read_own_fingerprint(state));
    }
    manifest.program = STRONGROOM_VERSION;
    manifest.created = to_millis(clock.now());
    manifest.fingerprint = keys.current;
    manifest.schema = static_cast<std::int64_t>(schema_steps().size());
    const gpg::Home own = gpg::Home::use(state.home);
    content.public_key = gpg::export_public(own, keys.current);
    content.secret_key = export_own_keys(own, keys);
    manifest.files = {describe_file(archive_public_key, content.public_key),
                      describe_file(archive_secret_key, content.secret_key.reveal()),
                      describe_stored(archive_database, content.database)};
    content.manifest_text = strongroom::to_json(manifest).dump(2) + "\n";
    content.signature = gpg::sign_detached(own, manifest.fingerprint, content.manifest_text);
    write_archive(content, home.home(), recipient, options.to);
    const auto size = static_cast<std::int64_t>(fs::file_size(options.to));

    const AuditEntry entry = operator_entry(
        clock, "dispatcher.backup", fs::absolute(options.to).string(),
        std::to_string(size) + " bytes, encrypted to " + recipient + ", audit head " + manifest.audit_head);
    try {
        store->transact([&](Transaction& tx) {
            tx.put_service_value("own_backup", std::to_string(manifest.created));
            tx.append_audit(entry);
        });
    } catch (const Error& error) {
        throw error.with_context("the backup " + options.to.string() +
                                 " is complete, but could not be noted down");
    }
    if (options.json) {
        const Json out{{"file", options.to.string()},
                       {"bytes", size},
                       {"recipient", recipient},
                       {"fingerprint", manifest.fingerprint},
                       {"audit", {{"entries", manifest.audit_entries}, {"head", manifest.audit_head}}}};
        std::cout << out.dump() << std::endl;
        return;
    }
    std::cout << options.to.string() << ": " << size << " bytes, encrypted to "
              << group_fingerprint(recipient) << "\n"
              << "audit trail: " << manifest.audit_entries << " entries, head " << manifest.audit_head
              << "\n";
}

void restore(const RestoreOptions& options) {
    const fs::path to = fs::absolute(options.to).lexically_normal();
    if (fs::exists(to) && !(fs::is_directory(to) && fs::is_empty(to)))
        throw Error(ErrorKind::exists,
                    to.string() + " is there and not an empty folder; nothing was changed");
    if (!fs::is_directory(to.parent_path()))
        throw Error(ErrorKind::not_found, "there is no folder " + to.parent_path().string());
    const SystemClock clock;
    const TempDir work(to.parent_path(), ".r");
    const State state(work.path() / "d");
    make_private_dir(state.folder);
    const ArchiveContent content = read_archive(options.from, options.gpg_home, state.folder);
    const ArchiveManifest& manifest = content.manifest;
    if (!options.fingerprint.empty() && parse_fingerprint(options.fingerprint) != manifest.fingerprint)
        throw Error(ErrorKind::crypto, "the backup is of the dispatcher " + manifest.fingerprint +
                                           ", not of " + options.fingerprint);
    AuditHead head;
    OwnKeys keys;
    {
        const auto store =
            SqliteStore::open(state.database);  // refuses a newer schema, upgrades an older one
        store->require_sound();
        head = checked_audit(*store);
        if (head.seq != manifest.audit_entries || head.hash != manifest.audit_head)
            throw Error(ErrorKind::corrupt,
                        "the audit trail in the backup does not end as its manifest says");
        keys = keys_of(*store, manifest.fingerprint);
        const AuditEntry entry =
            operator_entry(clock, "dispatcher.restore", fs::absolute(options.from).string(),
                           "from a backup made at " + format_utc(from_millis(manifest.created)) +
                               ", audit head " + manifest.audit_head);
        store->transact([&](Transaction& tx) {
            tx.append_audit(entry);
            head = tx.audit_head();
        });
    }
    const gpg::Home home = gpg::Home::create(state.home);
    try {
        const auto imported = import_own_keys(home, content.secret_key);
        if (imported.front() != manifest.fingerprint || keys.current != manifest.fingerprint)
            throw Error(ErrorKind::corrupt,
                        "the secret key in the backup is not the one that its manifest names");
        if (!keys.next.empty() && std::ranges::find(imported, keys.next) == imported.end())
            throw Error(ErrorKind::corrupt, "the next secret key is missing in the backup");
        write_file_atomic(state.public_key, content.public_key, 0644);
        make_private_dir(state.peers);
        read_own_fingerprint(state);  // public and secret key belong together
    } catch (...) {
        home.stop_daemons();
        throw;
    }
    home.stop_daemons();
    sync_file_system(state.folder);
    std::error_code not_empty;
    fs::remove(to, not_empty);  // an empty folder
    if (::rename(state.folder.c_str(), to.c_str()) != 0)
        throw system_error(ErrorKind::storage, "cannot give the restored folder its name " + to.string(),
                           errno);
    sync_dir(to.parent_path());

    if (options.json) {
        const Json out{{"state_dir", to.string()},
                       {"fingerprint", manifest.fingerprint},
                       {"created", format_utc(from_millis(manifest.created))},
                       {"audit", {{"entries", head.seq}, {"head", head.hash}}}};
        std::cout << out.dump() << std::endl;
        return;
    }
    std::cout
        << "The dispatcher of " << format_utc(from_millis(manifest.created)) << " is in " << to.string()
        << "\n"
        << "Its key is " << group_fingerprint(manifest.fingerprint)
        << " (compare it with the one that agents and clients were built with)\n"
        << "What came after that moment is not in it: see docs/operator-guide.md, \"After a restore\".\n";
}

}  // namespace strongroom::dispatcher
