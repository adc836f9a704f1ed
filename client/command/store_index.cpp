// `store index`: the servers and sets of a store, from the store alone. What counts as a server's key is what
// this user knows; what the store says of itself is shown, and said to be no more than that.
#include "proto/store_index.hpp"

#include <algorithm>

#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/trusted_identity.hpp"
#include "common/backupset/identity_objects.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/set_list.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/keys.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"
#include "proto/statement.hpp"

namespace strongroom::client {
namespace {

struct Arguments {
    std::string store;
    std::vector<std::string> identities;  // that this user trusts besides the known servers
    std::string output;
    std::string as_of;
};

struct FoundSet {
    std::string set;
    std::optional<proto::Backup> backup;  // what its manifest says, if the server signed it
    std::string problem;
};

struct Found {
    std::string server;
    std::string identity;  // that the store shows; empty: none that can be used
    bool trusted = false;
    std::string public_key;
    std::vector<std::string> subkeys;
    std::vector<backupset::EscrowRecord> escrow;
    std::vector<FoundSet> sets;
    std::string problem;  // of the server; empty: none
};

// The server's keys, followed from one that this user knows; none, and why, if there is no way.
std::optional<Identities> trusted(Context& context, const Arguments& arguments, const ShownIdentities& shown,
                                  const std::string& identity, std::string& problem) {
    auto anchor = context.known_servers().identity_of(shown.server);
    if (anchor && shown.changes.empty() && *anchor != identity) {
        problem = "shows another identity key than the one that you know, " + group_fingerprint(*anchor);
        return std::nullopt;
    }
    const auto offer = [&](const std::string& fingerprint) {
        if (!anchor && std::ranges::find(arguments.identities, fingerprint) != arguments.identities.end())
            anchor = fingerprint;
    };
    try {
        offer(identity);
        for (const auto& change : shown.changes) offer(claim_of(change).current);
        if (anchor) return Identities::follow(shown, *anchor, approvers_of(context));
        problem =
            "you do not know this identity key: compare it with your recovery sheet, and name it with "
            "--identity";
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::refused && error.kind() != ErrorKind::crypto &&
            error.kind() != ErrorKind::protocol)
            throw;
        problem = error.text();
    }
    return std::nullopt;
}

proto::Backup as_reported(const backupset::Manifest& manifest, const std::string& store) {
    proto::Backup out;
    out.set = manifest.set;
    out.kind = manifest.kind;
    out.created = to_millis(parse_utc(manifest.created));
    out.finished = to_millis(parse_utc(manifest.finished));
    out.plain_bytes = manifest.plain_total;
    out.stored_bytes = manifest.stored_total;
    out.segments = static_cast<std::int64_t>(manifest.segments.size());
    out.source = manifest.source_tool;
    out.server_version = manifest.server_version;
    out.store = store;
    return out;
}

// One server's folder. A store that fails ends the command; what its contents say does not.
Found look_at(Context& context, const Arguments& arguments, storage::ObjectStore& store,
              const std::string& server) {
    Found out;
    out.server = server;
    const gpg::TempHome home(gpg::HomeFor::public_keys);
    ShownIdentities shown;
    try {
        shown = backupset::read_identities(store, server);
        const gpg::Key key = gpg::import_into_empty(home.home(), shown.public_key);
        if (!key.user_id.starts_with(server + "@"))
            throw Error(ErrorKind::crypto, "agent.asc is the key of \"" + printable_line(key.user_id, 100) +
                                               "\", not of this server");
        out.identity = key.fingerprint;
        if (const auto* newest = key.encryption_subkey()) out.subkeys.push_back(newest->fingerprint);
        for (const auto& subkey : key.subkeys)
            if (subkey.can_encrypt && (out.subkeys.empty() || subkey.fingerprint != out.subkeys.front()))
                out.subkeys.push_back(subkey.fingerprint);
        out.public_key = gpg::export_public(home.home(), key.fingerprint);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::crypto &&
            error.kind() != ErrorKind::corrupt)
            throw;
        out.problem = error.kind() == ErrorKind::not_found ? "agent.asc is missing" : error.text();
        return out;
    }
    const auto identities = trusted(context, arguments, shown, out.identity, out.problem);
    out.trusted = identities.has_value();
    if (identities && identities->shown() != identities->newest())
        out.problem = "a change of its identity key is not done yet; agent.asc is the former one";
    for (auto& record : backupset::read_escrow_records(store, server))
        if (std::ranges::find(out.subkeys, record.subkey) != out.subkeys.end())
            out.escrow.push_back(std::move(record));
    if (out.problem.empty() &&
        (out.subkeys.empty() || std::ranges::find(out.escrow, out.subkeys.front(),
                                                  &backupset::EscrowRecord::subkey) == out.escrow.end()))
        out.problem = "its decryption key in use is not in escrow here";
    for (const auto& info :
         backupset::list_sets(store, server,
                              identities ? backupset::signers_of(*identities)
                                         : backupset::Signers(home.home(), out.identity))) {
        FoundSet& set = out.sets.emplace_back();
        set.set = info.set;
        set.problem = info.problem;
        if (info.manifest) set.backup = as_reported(*info.manifest, printable_line(store.label(), 240));
    }
    return out;
}

std::vector<Found> look_through(Context& context, const Arguments& arguments, storage::ObjectStore& store) {
    std::vector<Found> out;
    for (const auto& name : store.list_folders("")) {
        if (!is_uuid(name)) continue;
        context.check_interrupted();
        out.push_back(look_at(context, arguments, store, name));
    }
    return out;
}

std::int64_t good_sets(const Found& found) {
    return std::ranges::count_if(found.sets, [](const auto& set) { return set.backup.has_value(); });
}

// Servers that this user trusts, and their sets that verify.
proto::StoreIndex index_of(const std::vector<Found>& found, const std::string& user, const std::string& store,
                           UtcTime now) {
    proto::StoreIndex out;
    out.user = user;
    out.made = to_millis(now);
    out.store = printable_line(store, 240);
    for (const auto& one : found) {
        if (!one.trusted) continue;
        auto& server = out.servers.emplace_back();
        server.server = one.server;
        server.identity = one.identity;
        server.public_key = one.public_key;
        for (const auto& record : one.escrow)
            server.escrow.push_back({record.subkey, to_base64(record.record)});
        for (const auto& set : one.sets)
            if (set.backup) server.backups.push_back(*set.backup);
    }
    return out;
}

void write_index(Context& context, const Arguments& arguments, const std::vector<Found>& found,
                 const std::string& store) {
    const std::string user = user_fingerprint(context.config);
    const auto index = index_of(found, user, store, context.clock.now());
    if (index.servers.empty())
        throw Error(ErrorKind::refused, "no server of this store has an identity key that you know",
                    "Name the fingerprints of your servers with --identity. Nothing was written.");
    const Bytes message = proto::sign_statement(gpg::Home::use(context.config.gpg_home), user, index);
    NewFile file(arguments.output);
    write_all(file.fd(), message.data(), message.size(), ErrorKind::storage, arguments.output.c_str());
    file.commit();
    context.say("written, signed by you: " + arguments.output + " with " +
                std::to_string(index.servers.size()) +
                " server(s). The operator runs: strongroom-dispatcher import " + arguments.output +
                " --owner " + user);
}

void print_json(Context& context, const std::vector<Found>& found, const std::string& store) {
    Json servers = Json::array();
    for (const auto& one : found) {
        Json sets = Json::array();
        for (const auto& set : one.sets) {
            Json row{{"set", set.set}, {"verified", set.backup.has_value()}};
            if (set.backup)
                row.update(Json{{"kind", set.backup->kind},
                                {"created", shown_time(set.backup->created)},
                                {"plain_bytes", set.backup->plain_bytes},
                                {"stored_bytes", set.backup->stored_bytes}});
            else
                row["problem"] = set.problem;
            sets.push_back(std::move(row));
        }
        Json escrow = Json::array();
        for (const auto& record : one.escrow) escrow.push_back(record.subkey);
        Json row{{"server", one.server},
                 {"trusted", one.trusted},
                 {"escrow", std::move(escrow)},
                 {"sets", std::move(sets)}};
        if (!one.identity.empty()) row["identity"] = one.identity;
        if (!one.problem.empty()) row["problem"] = one.problem;
        servers.push_back(std::move(row));
    }
    context.print_json(Json{{"store", store}, {"servers", std::move(servers)}});
}

void print_tables(Context& context, const std::vector<Found>& found, const std::string& store) {
    term::Table servers(
        {{"SERVER"}, {"IDENTITY"}, {"KNOWN"}, {"ESCROW", term::Align::right}, {"SETS", term::Align::right}});
    term::Table sets({{"SERVER"},
                      {"SET"},
                      {"KIND"},
                      {"CREATED"},
                      {"SIZE", term::Align::right},
                      {"STORED", term::Align::right},
                      {"PROBLEM"}});
    for (const auto& one : found) {
        const auto total = static_cast<std::int64_t>(one.sets.size());
        servers.add({one.server, one.identity.empty() ? "?" : one.identity, one.trusted ? "yes" : "NO",
                     std::to_string(one.escrow.size()),
                     std::to_string(good_sets(one)) +
                         (good_sets(one) == total ? "" : " of " + std::to_string(total))});
        for (const auto& set : one.sets) {
            if (set.backup)
                sets.add({one.server, set.set, set.backup->kind, shown_time(set.backup->created),
                          term::format_bytes(set.backup->plain_bytes),
                          term::format_bytes(set.backup->stored_bytes), ""});
            else
                sets.add({one.server, set.set, "?", "?", "?", "?", set.problem});
        }
    }
    servers.print(context.out, "no server in " + store);
    for (const auto& one : found)
        if (!one.problem.empty())
            context.out << "WARNING: " << one.server << ": " << printable_line(one.problem) << '\n';
    if (sets.rows() == 0) return;
    context.out << '\n';
    sets.print(context.out, "");
}

void run(Context& context, Arguments arguments) {
    for (auto& identity : arguments.identities) identity = parse_fingerprint(identity);
    PatientStore store(context, arguments.store, 0, arguments.as_of);
    const auto found = look_through(context, arguments, *store);
    if (context.config.json)
        print_json(context, found, store->label());
    else
        print_tables(context, found, store->label());
    if (!arguments.output.empty()) write_index(context, arguments, found, store->label());
}

}  // namespace

void add_store_index_command(Commands& commands, CLI::App* group) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        group, "index",
        "The servers and sets of a store, from the store alone: each set's signature is verified. With\n"
        "--output also as a file, signed by you, that fills an empty dispatcher",
        "strongroom store index --store s3://backups/mysql\n"
        "  strongroom store index --store s3://backups/mysql --identity FPR --identity FPR --output "
        "index.pgp",
        [arguments](Context& c) { run(c, *arguments); });
    add_store_option(*command, arguments->store);
    add_as_of_option(*command, arguments->as_of);
    command
        ->add_option("--identity", arguments->identities,
                     "Identity fingerprint of a server that is not known here (repeat for more)")
        ->type_name("FPR")
        ->allow_extra_args(false);
    command->add_option("--output", arguments->output, "New file for strongroom-dispatcher import")
        ->type_name("FILE");
}

}  // namespace strongroom::client
