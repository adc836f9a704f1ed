#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/restore_from.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/stage_progress.hpp"
#include "client/command/store_server.hpp"
#include "client/command/until.hpp"
#include "client/restore/extract_logs.hpp"
#include "common/backupset/log_stretches.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"
#include "common/restore/replay.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"

namespace strongroom::client {
namespace {

struct Arguments {
    std::string server;
    std::string store;
    std::string identity;
    std::string as_of;
    std::string home;
    std::string into;
    std::string set = "latest";
    std::string from;
    UntilArguments until;
    std::int64_t read_limit = 0;
};

using backupset::Manifest;

struct Found {
    std::map<std::string, Manifest> pieces;
    std::vector<std::pair<std::string, std::string>> problems;  // log id, why
    std::vector<backupset::SetInfo> sets;
};

Found read_all(Context& context, storage::ObjectStore& store, const StoreServer& server) {
    Found out;
    const auto ids = backupset::committed_logs(store, server.id);
    const auto signers = server.signers();
    for (const auto& id : ids) {
        context.check_interrupted();
        try {
            out.pieces.emplace(id, backupset::read_manifest(store, server.id, id, signers));
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::crypto &&
                error.kind() != ErrorKind::not_found)
                throw;
            out.problems.emplace_back(id, error.text());
        }
    }
    out.sets = backupset::list_sets(store, server.id, signers);
    return out;
}

// The earliest set from which a stretch can be replayed.
const Manifest* first_set(const Found& found, const backupset::LogStretchInfo& stretch) {
    for (const auto& one : found.sets)
        if (one.manifest && backupset::holds(stretch, *one.manifest)) return &*one.manifest;
    return nullptr;
}

Json to_row(const backupset::LogStretchInfo& stretch, const Manifest* set) {
    const auto& first = *stretch.pieces.front()->log;
    const auto& last = *stretch.pieces.back()->log;
    std::int64_t stored = 0;
    for (const auto* piece : stretch.pieces) stored += piece->stored_total;
    return {{"recoverable_from", set != nullptr ? Json(set->finished) : Json()},
            {"from_set", set != nullptr ? Json(set->set) : Json()},
            {"covered", last.covered},
            {"began", first.began},
            {"first", {{"file", first.file}, {"offset", first.first}}},
            {"last", {{"file", last.file}, {"offset", last.last}, {"gtid", last.gtid}}},
            {"pieces", stretch.pieces.size()},
            {"stored_bytes", stored},
            {"begins", stretch.begins}};
}

void list(Context& context, const Arguments& arguments) {
    PatientStore store(context, arguments.store, 0, arguments.as_of);
    const StoreServer server(context, *store, arguments.server, arguments.identity, arguments.store,
                             arguments.as_of);
    const Found found = read_all(context, *store, server);
    const auto stretches = backupset::log_stretches(found.pieces);
    Json rows = Json::array();
    term::Table table({{"RECOVERABLE FROM"},
                       {"TO"},
                       {"FIRST SET"},
                       {"LOG"},
                       {"PIECES", term::Align::right},
                       {"STORED", term::Align::right},
                       {"BEFORE IT"}});
    for (const auto& stretch : stretches) {
        const Manifest* set = first_set(found, stretch);
        const Json row = to_row(stretch, set);
        rows.push_back(row);
        const auto& first = *stretch.pieces.front()->log;
        const auto& last = *stretch.pieces.back()->log;
        table.add(
            {set != nullptr ? set->finished : "no set fits", last.covered, set != nullptr ? set->set : "-",
             restore::text_of({first.file, first.first}) + " - " + restore::text_of({last.file, last.last}),
             std::to_string(stretch.pieces.size()),
             term::format_bytes(row["stored_bytes"].get<std::int64_t>()), stretch.begins});
    }
    if (context.config.json) {
        Json bad = Json::array();
        for (const auto& [id, why] : found.problems) bad.push_back({{"log", id}, {"problem", why}});
        return context.print_json({{"server", server.id}, {"stretches", rows}, {"problems", bad}});
    }
    table.print(context.out, "no binary log of this server in " + store->label());
    for (const auto& [id, why] : found.problems) context.say("log " + id + " does not count: " + why);
}

std::string shell_text(const std::vector<std::string>& command) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=+,@";
    std::string out;
    for (const auto& word : command) {
        std::string shown = word;
        if (word.find_first_not_of(plain) != std::string::npos) {
            shown = "'";
            for (const char c : word) shown += c == '\'' ? std::string("'\\''") : std::string(1, c);
            shown += "'";
        }
        out += (out.empty() ? "" : " ") + shown;
    }
    return out;
}

void extract(Context& context, const Arguments& arguments) {
    const auto target = arguments.until.given() ? arguments.until.target() : restore::TargetPoint{};
    const auto recovered = open_recovered_home(arguments.home, arguments.server);
    const auto home = gpg::Home::use(arguments.home);
    PatientStore store(context, arguments.store, arguments.read_limit, arguments.as_of);
    StageProgress progress(context);
    const RestoreFrom from =
        restore_from(context, *store, arguments.store, arguments.as_of, recovered, home, progress);
    try {
        const LogStart start = arguments.from.empty()
                                   ? start_after(choose_set(from, arguments.set))
                                   : LogStart{restore::parse_until_position(arguments.from).at};
        const auto stretch = extract_logs(from, start, target, arguments.into);
        progress.finish();
        home.stop_daemons();
        const auto command = restore::binlog_command(stretch, {});
        if (context.config.json) {
            Json files = Json::array();
            for (const auto& file : stretch.files) files.push_back(file.string());
            return context.print_json(
                {{"server", recovered.server},
                 {"files", files},
                 {"start", {{"file", stretch.start.file}, {"offset", stretch.start.offset}}},
                 {"stop", {{"file", stretch.stop.file}, {"offset", stretch.stop.offset}}},
                 {"gtid", stretch.gtid_state},
                 {"transactions", stretch.transactions},
                 {"command", command}});
        }
        context.out << stretch.transactions << " transaction(s), from " << restore::text_of(stretch.start)
                    << " to " << restore::text_of(stretch.stop)
                    << (stretch.last ? ", the last of " + format_utc(*stretch.last) : "")
                    << "\nTo replay them:\n  " << shell_text(command) << " | mariadb --binary-mode\n";
    } catch (...) {
        home.stop_daemons();
        throw;
    }
}

}  // namespace

void add_logs_commands(Commands& commands) {
    CLI::App* group = commands.group("logs", "Binary logs in a store");
    auto arguments = std::make_shared<Arguments>();
    CLI::App* listing =
        commands.add(group, "list", "Between which moments a server can be restored, and the gaps",
                     "strongroom logs list --server UUID --store file:///srv/backups",
                     [arguments](Context& c) { list(c, *arguments); });
    CLI::App* writing =
        commands.add(group, "extract", "The files of the binary log, with the command that replays them",
                     "strongroom logs extract --server UUID --store file:///srv/backups --home ~/recovered "
                     "--set SET --until "
                     "\"2026-11-22 01:37:00\" --into /srv/logs",
                     [arguments](Context& c) { extract(c, *arguments); });
    for (CLI::App* command : {listing, writing}) {
        command->add_option("--server", arguments->server, "Server UUID")->required();
        add_store_option(*command, arguments->store);
        add_as_of_option(*command, arguments->as_of);
    }
    add_identity_option(*listing, arguments->identity);
    writing->add_option("--home", arguments->home, "Folder made by `strongroom recover`")
        ->required()
        ->type_name("DIR");
    writing->add_option("--into", arguments->into, "New folder for the files")->required()->type_name("DIR");
    CLI::Option* from =
        writing->add_option("--from", arguments->from, "Begin there, between two transactions");
    from->type_name("FILE:OFFSET");
    writing->add_option("--set", arguments->set, "Begin where this set (also a dump) ends: its id, or latest")
        ->capture_default_str()
        ->excludes(from);
    add_until_options(*writing, arguments->until);
    add_read_limit_option(*writing, arguments->read_limit);
}

}  // namespace strongroom::client
