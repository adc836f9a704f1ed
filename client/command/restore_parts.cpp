#include "client/command/restore_parts.hpp"

#include <unistd.h>

#include <optional>

#include "client/restore/into_server.hpp"
#include "client/restore/mydumper_folder.hpp"
#include "client/restore/physical_tables.hpp"
#include "client/restore/sql_parts.hpp"
#include "common/backupset/file_streams.hpp"
#include "common/base/error.hpp"
#include "common/term/text.hpp"

namespace strongroom::client {
namespace {

restore::Selection selection_of(const PartArguments& arguments) {
    restore::Selection out;
    for (const auto& text : arguments.databases) out.databases.push_back(restore::parse_database_name(text));
    for (const auto& text : arguments.tables) out.tables.push_back(restore::parse_table_name(text));
    return out;
}

void refuse(const std::string& text, const std::string& hint) {
    throw Error(ErrorKind::usage, text, hint);
}

// Where the SQL goes is the best guess of a disk with space.
std::filesystem::path scratch_of(const PartArguments& arguments) {
    if (!arguments.scratch.empty()) return std::filesystem::absolute(arguments.scratch);
    for (const auto& target : {arguments.output, arguments.tablespaces})
        if (!target.empty()) return std::filesystem::absolute(target).parent_path();
    return std::filesystem::temp_directory_path();
}

Json json_of(const backupset::Manifest& manifest, const std::vector<restore::DumpedTable>& loaded) {
    Json tables = Json::array();
    for (const auto& table : loaded)
        tables.push_back(Json{{"database", table.name.database},
                              {"table", table.name.table},
                              {"view", table.view},
                              {"sql_bytes", table.bytes}});
    return Json{{"server", manifest.server}, {"set", manifest.set}, {"loaded", std::move(tables)}};
}

void restore_dump_folder(Context& context, const RestoreFrom& from, const backupset::Manifest& manifest,
                         const restore::Selection& wanted, const PartArguments& arguments) {
    const auto written = write_mydumper_folder(from, manifest, wanted, arguments.dump_folder);
    const auto folder = std::filesystem::absolute(arguments.dump_folder).string();
    if (context.config.json)
        return context.print_json({{"server", manifest.server},
                                   {"set", manifest.set},
                                   {"folder", folder},
                                   {"tables", written.tables.size()}});
    context.out << "restored set " << manifest.set << " to " << folder << '\n';
    context.say(std::to_string(written.tables.size()) + " tables and views");
    context.say("Next: myloader --defaults-file=FILE --directory=" + folder);
}

}  // namespace

void add_part_options(CLI::App& command, PartArguments& arguments) {
    command
        .add_option("--table", arguments.tables,
                    "Only this table or view, with its triggers; repeat for more. `my.db`.`t` for odd names")
        ->type_name("DB.TABLE")
        ->allow_extra_args(false);
    command
        .add_option("--database", arguments.databases,
                    "Only this database, with its routines and events; repeat for more")
        ->type_name("DB")
        ->allow_extra_args(false);
    command.add_flag("--skip-triggers", arguments.skip_triggers,
                     "--table, --database: without their triggers");
    command
        .add_option("--output", arguments.output, "Write the SQL to this new file, complete or not at all")
        ->type_name("FILE");
    command
        .add_option(
            "--tablespaces", arguments.tablespaces,
            "--table of a physical backup: InnoDB's own files, and how to import them, into this new folder")
        ->type_name("DIR");
    command
        .add_option("--dump-folder", arguments.dump_folder,
                    "A set of mydumper: its files, for myloader --directory, into this new folder")
        ->type_name("DIR");
    command
        .add_option("--scratch", arguments.scratch,
                    "--table, --database of a physical backup, and SQL of a set of mydumper: where it is "
                    "restored to meanwhile, and removed")
        ->type_name("DIR");
    command.add_flag("--into-server", arguments.into_server,
                     "Load the SQL into the running server of --defaults-file");
    command
        .add_option("--defaults-file", arguments.defaults_file,
                    "--into-server: private MySQL option file with a [client] section")
        ->type_name("FILE");
    command
        .add_option("--into-database", arguments.into_database,
                    "--into-server: load the tables of one database into this one")
        ->type_name("DB");
    command.add_flag("--overwrite", arguments.overwrite,
                     "--into-server: replace tables that are there and not empty");
}

void require_part_options(const PartArguments& arguments, bool to_datadir, bool one_pass) {
    if (to_datadir && arguments.selects())
        refuse("--table and --database do not go with --datadir", "A data directory holds the whole server.");
    if (arguments.into_server && arguments.defaults_file.empty())
        refuse("--into-server needs --defaults-file FILE", "A private file with [client], user and socket.");
    if (!arguments.into_server &&
        (!arguments.defaults_file.empty() || arguments.overwrite || !arguments.into_database.empty()))
        refuse("--defaults-file, --into-database and --overwrite are for --into-server", "");
    if (one_pass && arguments.into_server)
        refuse("--one-pass is for --pipe and --stdout",
               "A server gets nothing of a set before all of it was checked.");
    if (!arguments.dump_folder.empty() && (one_pass || arguments.skip_triggers || !arguments.scratch.empty()))
        refuse("--one-pass, --skip-triggers and --scratch do not go with --dump-folder",
               "The files come as mydumper wrote them, and are unpacked beside DIR; triggers are in "
               "*-schema-triggers.sql.");
    const auto wanted = selection_of(arguments);
    if (!arguments.tablespaces.empty() && (arguments.tables.empty() || !arguments.databases.empty()))
        refuse("--tablespaces is for --table", "Name the tables: --table DB.TABLE.");
    if (arguments.skip_triggers && wanted.all())
        refuse("--skip-triggers is for --table and --database", "A whole dump is not changed.");
    if (arguments.into_database.empty()) return;
    (void)restore::parse_database_name(arguments.into_database);
    if (wanted.touched().size() != 1)
        refuse("--into-database is for tables of one database",
               "Name it: --database DB, or --table DB.TABLE.");
}

void restore_part_of(Context& context, const RestoreFrom& from, const backupset::Manifest& manifest,
                     const PartArguments& arguments, const std::vector<std::string>& command) {
    const auto wanted = selection_of(arguments);
    if (!arguments.dump_folder.empty())
        return restore_dump_folder(context, from, manifest, wanted, arguments);
    if (!arguments.tablespaces.empty() && manifest.stream != "xbstream")
        refuse("set " + manifest.set + " is a dump: it has no tablespaces",
               "Take the tables as SQL: --output FILE.");
    std::optional<PhysicalTables> physical;
    std::optional<MydumperFolder> files;
    if (manifest.stream == "xbstream") physical.emplace(from, manifest, wanted, scratch_of(arguments));
    if (manifest.stream == "tar") files.emplace(from, manifest, wanted, scratch_of(arguments));
    if (!arguments.tablespaces.empty()) {
        physical->write_tablespaces(arguments.tablespaces);
        return context.say("wrote the tables of set " + manifest.set + " to " + arguments.tablespaces +
                           "; its README.txt says how they are imported");
    }
    const auto feed = physical ? physical->feed() : files ? files->feed() : feed_of_dump(from, manifest);
    if (arguments.into_server) {
        IntoServer into{arguments.defaults_file, arguments.overwrite, {}, arguments.skip_triggers};
        if (!arguments.into_database.empty())
            into.into_database = restore::parse_database_name(arguments.into_database);
        const auto loaded = restore_into_server(from, feed, wanted, into);
        if (context.config.json) return context.print_json(json_of(manifest, loaded));
        for (const auto& table : loaded)
            context.out << "loaded " << (table.view ? "view " : "table ") << table.name.shown() << " ("
                        << term::format_bytes(table.bytes) << " of SQL)\n";
        context.say("loaded " + std::to_string(loaded.size()) + " tables of set " + manifest.set +
                    (into.into_database.empty() ? "" : " into " + into.into_database));
        return;
    }
    if (!arguments.output.empty()) {
        NewFileTarget target(arguments.output);
        restore_part(from, feed, wanted, target, true, arguments.skip_triggers);
    } else if (!command.empty()) {
        CommandTarget target(command);
        restore_part(from, feed, wanted, target, from.one_pass, arguments.skip_triggers);
    } else {
        backupset::FdTarget target(STDOUT_FILENO, "standard output");
        restore_part(from, feed, wanted, target, from.one_pass, arguments.skip_triggers);
    }
    context.say("restored set " + manifest.set);
}

}  // namespace strongroom::client
