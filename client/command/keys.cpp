#include "common/gpg/keys.hpp"

#include <algorithm>

#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/store_server.hpp"
#include "common/backupset/escrow_index.hpp"
#include "common/backupset/recipients.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/packets.hpp"
#include "common/term/table.hpp"

namespace strongroom::client {
namespace {

struct Arguments {
    std::string server;
    std::string store;
    std::string identity;
};

struct NeededKey {
    std::string key_id;
    std::string fingerprint;  // empty: no subkey of this server that is known here
    bool newest = false;      // new sets are for this one
    bool escrowed = false;    // there is a record in the store
    std::optional<UtcTime> expires;
    std::vector<std::string> sets;  // that open with this key
};

struct Report {
    std::vector<NeededKey> keys;  // by the age of the subkey
    std::vector<backupset::SetRecipients> damaged;
    std::optional<backupset::EscrowIndex> escrow;  // since the recovery keys were changed
    std::string escrow_problem;                    // why there is an index and it says nothing
};

NeededKey& by_id(Report& report, const std::string& key_id) {
    const auto known = std::ranges::find(report.keys, key_id, &NeededKey::key_id);
    if (known != report.keys.end()) return *known;
    NeededKey fresh;
    fresh.key_id = key_id;
    return report.keys.emplace_back(std::move(fresh));
}

Report look_at(storage::ObjectStore& store, const StoreServer& server) {
    Report out;
    const gpg::Key key = gpg::find_key(server.verify_home(), server.identity);
    for (const auto& subkey : key.subkeys) {
        if (!subkey.can_encrypt) continue;
        NeededKey& needed = by_id(out, gpg::key_id_of(subkey.fingerprint));
        needed.fingerprint = subkey.fingerprint;
        needed.expires = subkey.expires;
        needed.newest =
            key.encryption_subkey() != nullptr && key.encryption_subkey()->fingerprint == subkey.fingerprint;
    }
    for (const auto& record : backupset::read_escrow_records(store, server.id)) {
        NeededKey& needed = by_id(out, gpg::key_id_of(record.subkey));
        needed.fingerprint = record.subkey;
        needed.escrowed = true;
    }
    for (auto& set : backupset::list_recipients(store, server.id)) {
        for (const auto& key_id : set.key_ids) by_id(out, key_id).sets.push_back(set.set);
        if (!set.problem.empty()) out.damaged.push_back(std::move(set));
    }
    try {
        out.escrow = backupset::read_escrow_index(store, server.id, server.signers());
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::crypto && error.kind() != ErrorKind::corrupt &&
            error.kind() != ErrorKind::protocol && error.kind() != ErrorKind::not_found)
            throw;
        out.escrow_problem = error.text();
    }
    return out;
}

std::string span(const std::vector<std::string>& sets) {
    if (sets.empty()) return "";
    return sets.size() == 1 ? sets.front() : sets.front() + " to " + sets.back();
}

void print_json(Context& context, const Report& report) {
    Json keys = Json::array();
    for (const auto& key : report.keys) {
        Json row{
            {"key_id", key.key_id}, {"newest", key.newest}, {"escrowed", key.escrowed}, {"sets", key.sets}};
        if (!key.fingerprint.empty()) row["subkey"] = key.fingerprint;
        if (key.expires) row["expires"] = format_utc(*key.expires);
        keys.push_back(std::move(row));
    }
    Json damaged = Json::array();
    for (const auto& set : report.damaged) damaged.push_back({{"set", set.set}, {"problem", set.problem}});
    Json out{{"keys", std::move(keys)}, {"damaged", std::move(damaged)}};
    if (report.escrow) out["escrow"] = to_json(*report.escrow);
    if (!report.escrow_problem.empty()) out["escrow_problem"] = report.escrow_problem;
    context.print_json(out);
}

void print_escrow(Context& context, const Report& report) {
    if (!report.escrow_problem.empty())
        context.out << "WARNING: the store's list of escrow records cannot be relied on: "
                    << printable_line(report.escrow_problem) << '\n';
    if (!report.escrow) return;
    context.out << '\n';
    const auto& pinned = report.escrow->recovery;
    term::Table table({{"RECORD OF"}, {"OPENS WITH"}, {"STATE"}});
    for (const auto& record : report.escrow->records)
        for (const auto& key : record.recipients)
            table.add({record.subkey,
                       key + (std::ranges::find(pinned, key) == pinned.end() ? " (REMOVED)" : ""),
                       !record.replaced ? "in force"
                                        : "replaced " + shown_time(record.replaced) +
                                              (record.kept ? "" : ", kept as a former version only")});
    table.print(context.out, "no escrow record");
}

void print_text(Context& context, const Report& report, const UtcTime now) {
    term::Table table({{"SUBKEY"}, {"STATE"}, {"ESCROW"}, {"SETS", term::Align::right}, {"WHICH"}});
    for (const auto& key : report.keys) {
        std::string state = key.newest ? "in use" : key.fingerprint.empty() ? "UNKNOWN" : "older";
        if (key.expires)
            state += (*key.expires <= now ? ", expired " : ", expires ") + format_utc(*key.expires);
        table.add({key.fingerprint.empty() ? key.key_id : key.fingerprint, state,
                   key.escrowed ? "in the store" : "NOT in the store", std::to_string(key.sets.size()),
                   span(key.sets)});
    }
    table.print(context.out, "no key and no set of this server");
    for (const auto& key : report.keys) {
        if (key.sets.empty()) continue;
        const std::string name = key.fingerprint.empty() ? key.key_id : key.fingerprint;
        const std::string sets = std::to_string(key.sets.size()) + (key.sets.size() == 1 ? " set" : " sets");
        context.out << "If " << name << " is lost, " << sets << " cannot be opened by anybody; if it leaks, "
                    << sets << " can be read by whoever also reads the store.\n";
        if (!key.escrowed)
            context.out << "WARNING: it is not in escrow in this store: if the host is lost, so "
                        << (key.sets.size() == 1 ? "is this set" : "are these sets")
                        << ", unless the dispatcher has its record.\n";
    }
    for (const auto& set : report.damaged)
        context.out << "WARNING: nobody can open set " << set.set << ": " << set.problem << '\n';
    print_escrow(context, report);
}

void run(Context& context, const Arguments& arguments) {
    PatientStore store(context, arguments.store);
    const StoreServer server(context, *store, arguments.server, arguments.identity);
    const Report report = look_at(*store, server);
    if (context.config.json) return print_json(context, report);
    print_text(context, report, context.clock.now());
}

}  // namespace

void add_keys_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        commands.program(), "keys",
        "Which sets need which key, and what is at stake if it is lost or leaks; needs no secret",
        "strongroom keys --server UUID --store file:///srv/backups",
        [arguments](Context& c) { run(c, *arguments); });
    command->add_option("--server", arguments->server, "Server UUID")->required();
    add_store_option(*command, arguments->store);
    add_identity_option(*command, arguments->identity);
}

}  // namespace strongroom::client
