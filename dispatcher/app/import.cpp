// `import`: fills a dispatcher with what a user's client found in a store (proto/store_index.hpp). Offline
// and by the operator alone: no message over the network makes a server's record but a registration.
#include <algorithm>
#include <iostream>
#include <set>

#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/packets.hpp"
#include "common/term/table.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/state.hpp"
#include "dispatcher/handler/on_the_wire.hpp"
#include "dispatcher/health/key_expiry.hpp"
#include "proto/statement.hpp"
#include "proto/store_index.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::size_t max_file = proto::StoreIndex::max_json + proto::statement_overhead;

// Everything that one server's records will be; checked, and not yet written.
struct Draft {
    Server server;
    KeyExpiry expiry;
    std::vector<EscrowRecord> escrow;
    std::vector<Backup> backups;
    AuditEntry audit;
    bool exists = false;  // the dispatcher knows this server or its key: nothing of it is touched
};

User find_owner(Store& store, const std::string& name) {
    std::vector<User> users;
    store.read([&](Transaction& tx) { users = tx.list_users(); });
    for (const auto& user : users)
        if (user.name == name || user.fingerprint == name) return user;
    throw Error(ErrorKind::not_found, "there is no user " + printable_line(name, 100),
                "See: strongroom-dispatcher user list");
}

proto::StoreIndex read_index(const std::filesystem::path& file, const User& owner) {
    const gpg::TempHome home(gpg::HomeFor::public_keys);
    gpg::import_public_key(home.home(), owner.public_key, owner.fingerprint);
    proto::StoreIndex index;
    try {
        index = proto::open_statement<proto::StoreIndex>(read_file(file, max_file),
                                                         {home.home(), owner.fingerprint});
    } catch (const Error& error) {
        throw Error(
            error.kind(),
            file.string() + " is no index that " + printable_line(owner.name, 100) + " made: " + error.text(),
            "The user makes it: strongroom store index --store URL --output FILE");
    }
    if (index.user != owner.fingerprint)
        throw Error(ErrorKind::refused, file.string() + " is for another user");
    return index;
}

// Who can open an escrow record, as its outside says: those of these keys that it names.
std::vector<std::string> recipients_of(const Bytes& record, const std::vector<gpg::Key>& keys) {
    std::vector<std::string> out;
    const auto ids = gpg::recipient_key_ids(record);
    for (const auto& key : keys)
        if (std::ranges::any_of(key.subkeys, [&](const auto& subkey) {
                return std::ranges::find(ids, gpg::key_id_of(subkey.fingerprint)) != ids.end();
            }))
            out.push_back(key.fingerprint);
    return out;
}

void add_escrow(Draft& draft, const proto::StoreIndex::Server& input, const gpg::Key& key,
                const std::vector<gpg::Key>& recovery, std::int64_t now) {
    for (const auto& one : input.escrow) {
        EscrowRecord record;
        const Bytes bytes = from_base64(one.record);
        record.id = random_uuid();
        record.server = input.server;
        record.subkey = one.subkey;
        record.recipients = recipients_of(bytes, recovery);
        record.sha256 = sha256_hex(bytes);
        record.record = one.record;
        record.deposited = now;
        if (!key.owns(one.subkey))
            throw Error(ErrorKind::refused, "an escrow record of another key, " + one.subkey);
        if (record.recipients.empty())
            throw Error(ErrorKind::refused, "its escrow record is not for this user's key",
                        "If its recovery key is another one, name that with --recovery-key FILE. Otherwise "
                        "it is somebody else's server.");
        for (const auto& one_of : record.recipients)
            if (std::ranges::find(draft.server.recovery, one_of) == draft.server.recovery.end())
                draft.server.recovery.push_back(one_of);
        draft.escrow.push_back(std::move(record));
    }
    if (draft.escrow.empty())
        throw Error(ErrorKind::refused, "the store holds no escrow record of it: nothing shows whose it is");
}

Draft make_draft(const proto::StoreIndex::Server& input, const proto::StoreIndex& index, const User& owner,
                 const std::vector<gpg::Key>& recovery, const Clock& clock) {
    const gpg::Key key = gpg::inspect_public_key(input.public_key, input.identity);
    if (!key.user_id.starts_with(input.server + "@"))
        throw Error(ErrorKind::refused, "its key is that of \"" + printable_line(key.user_id, 100) + "\"");
    const std::int64_t now = to_millis(clock.now());
    Draft out;
    out.server.uuid = input.server;
    out.server.owner = owner.fingerprint;
    out.server.identity = key.fingerprint;
    out.server.subkey = key.encryption_subkey()->fingerprint;  // inspected: there is one
    out.server.public_key = input.public_key;
    out.server.token_hash = sha256_hex(random_bytes(32));  // of no token: its agent has none here
    out.server.label = "imported";
    out.server.version = "imported";
    out.server.registered = now;
    out.server.store = index.store;
    out.expiry = key_expiry(key);
    add_escrow(out, input, key, recovery, now);
    for (const auto& backup : input.backups)
        out.backups.push_back(from_the_wire(backup, input.server, "", backup.finished));
    out.audit = operator_entry(clock, "import", input.server,
                               "imported from the store index of " + index.store +
                                   " that the owner signed: " + std::to_string(out.escrow.size()) +
                                   " escrow record(s), " + std::to_string(out.backups.size()) + " backup(s)");
    out.audit.owner = owner.fingerprint;
    return out;
}

// All of them in one transaction, or none.
void write(Store& store, std::vector<Draft>& drafts) {
    store.transact([&](Transaction& tx) {
        std::set<std::string> known;  // servers and their keys
        for (const auto& user : tx.list_users())
            for (const auto& server : tx.list_servers(user.fingerprint))
                known.insert({server.uuid, server.identity});
        for (auto& draft : drafts) {
            draft.exists = known.contains(draft.server.uuid) || known.contains(draft.server.identity);
            if (draft.exists) continue;
            known.insert({draft.server.uuid, draft.server.identity});
            tx.add_server(draft.server);
            tx.put_key_expiry(draft.expiry);
            for (const auto& record : draft.escrow) tx.append_escrow(record);
            for (const auto& backup : draft.backups) tx.put_backup(backup);
            tx.append_audit(draft.audit);
        }
    });
}

void print(const std::vector<Draft>& drafts, const User& owner, bool json) {
    if (json) {
        Json rows = Json::array();
        for (const auto& draft : drafts)
            rows.push_back({{"server", draft.server.uuid},
                            {"identity", draft.server.identity},
                            {"imported", !draft.exists},
                            {"escrow", draft.escrow.size()},
                            {"backups", draft.backups.size()}});
        std::cout << Json{{"owner", owner.fingerprint}, {"servers", std::move(rows)}}.dump() << std::endl;
        return;
    }
    term::Table table({{"SERVER"},
                       {"IDENTITY"},
                       {"ESCROW", term::Align::right},
                       {"BACKUPS", term::Align::right},
                       {"IMPORTED"}});
    for (const auto& draft : drafts)
        table.add({draft.server.uuid, draft.server.identity, std::to_string(draft.escrow.size()),
                   std::to_string(draft.backups.size()),
                   draft.exists ? "no: it is known here, and stays as it is" : "yes"});
    table.print(std::cout, "the index holds no server");
}

}  // namespace

void import_index(const ImportOptions& options) {
    const State state = open_state(options.state);
    const auto store = open_store(state);
    const SystemClock clock;
    const User owner = find_owner(*store, options.owner);
    const auto index = read_index(options.file, owner);
    std::vector<gpg::Key> recovery{gpg::inspect_public_key(owner.public_key, owner.fingerprint)};
    for (const auto& file : options.recovery_keys)
        recovery.push_back(gpg::inspect_public_key(read_file(file, gpg::max_public_key)));

    std::vector<Draft> drafts;
    for (const auto& server : index.servers) {
        try {
            drafts.push_back(make_draft(server, index, owner, recovery, clock));
        } catch (const Error& error) {
            throw Error(
                error.kind(), "server " + server.server + ": " + error.text(),
                error.hint().empty() ? "Nothing was imported." : error.hint() + " Nothing was imported.");
        }
    }
    write(*store, drafts);
    print(drafts, owner, options.json);
    if (!options.json)
        std::cout << "Each imported server counts as recoverable once its owner has proven it (strongroom "
                     "prove). Its agent, if the host lives, has no access here: it is registered anew, as "
                     "another server.\n";
}

}  // namespace strongroom::dispatcher
