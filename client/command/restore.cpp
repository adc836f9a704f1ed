#include "client/restore/restore.hpp"

#include <unistd.h>

#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/restore_from.hpp"
#include "client/command/restore_parts.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/stage_progress.hpp"
#include "client/command/until.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::client {
namespace {

struct Arguments {
    std::string server;
    std::string set = "latest";
    std::string store;
    std::string home;
    std::string datadir;
    bool prepare = false;
    bool pipe = false;
    bool to_stdout = false;
    std::vector<std::string> command;
    int workers = 0;
    std::int64_t read_limit = 0;
    std::string as_of;
    bool one_pass = false;
    PartArguments part;
    UntilArguments until;
};

void require_one_target(const Arguments& arguments) {
    const int targets = arguments.part.targets() + (arguments.datadir.empty() ? 0 : 1) +
                        (arguments.pipe ? 1 : 0) + (arguments.to_stdout ? 1 : 0);
    if (targets != 1)
        throw Error(ErrorKind::usage,
                    "exactly one of --datadir, --pipe, --stdout, --output, --into-server, --tablespaces and "
                    "--dump-folder is needed",
                    "Physical sets go to --datadir DIR, dumps to any of the others.");
    if (arguments.pipe == arguments.command.empty())
        throw Error(ErrorKind::usage,
                    arguments.pipe ? "--pipe needs a command" : "there is a command but no --pipe",
                    "For example: --pipe mariadb shop, or --pipe -- mariadb --socket=/run/x.sock shop");
    if (arguments.prepare && arguments.datadir.empty())
        throw Error(ErrorKind::usage, "--prepare needs --datadir", "Dumps need no preparing.");
    if (arguments.one_pass && !arguments.datadir.empty())
        throw Error(ErrorKind::usage, "--one-pass is for --pipe and --stdout",
                    "--datadir reads the store once anyway, and shows nothing before all of it is good.");
    require_part_options(arguments.part, !arguments.datadir.empty(), arguments.one_pass);
    if (arguments.until.given()) (void)arguments.until.target();
    if (arguments.until.given() && arguments.datadir.empty())
        throw Error(ErrorKind::usage, "a point in time needs --datadir",
                    "The binary log is replayed on a physical set. After a dump, or into a running server: "
                    "`strongroom logs extract`.");
    if (arguments.to_stdout && ::isatty(STDOUT_FILENO) == 1)
        throw Error(ErrorKind::usage, "a backup is not written to a terminal",
                    "Redirect it: --stdout > FILE");
}

void run(Context& context, const Arguments& arguments) {
    require_one_target(arguments);
    const auto recovered = open_recovered_home(arguments.home, arguments.server);
    const auto home = gpg::Home::use(arguments.home);
    PatientStore store(context, arguments.store, arguments.read_limit, arguments.as_of);
    StageProgress progress(context);
    RestoreFrom from =
        restore_from(context, *store, arguments.store, arguments.as_of, recovered, home, progress);
    from.workers = arguments.workers;
    from.one_pass = arguments.one_pass;
    try {
        if (arguments.until.given()) {
            const auto done = [&] {
                progress.finish();
                home.stop_daemons();
                context.say(store.summary());
            };
            return restore_and_show_until(context, from, arguments.until,
                                          {arguments.set, arguments.datadir, done}, store);
        }
        const auto manifest = choose_set(from, arguments.set);
        const bool part = arguments.datadir.empty() && arguments.part.apply(manifest);
        if (!arguments.datadir.empty())
            restore_datadir(from, manifest, {arguments.datadir, arguments.prepare});
        else if (part)
            restore_part_of(context, from, manifest, arguments.part, arguments.command);
        else if (arguments.pipe)
            restore_pipe(from, manifest, arguments.command);
        else
            restore_fd(from, manifest, STDOUT_FILENO, "standard output");
        progress.finish();
        home.stop_daemons();
        context.say(store.summary());
        if (part) return;
        if (arguments.datadir.empty()) return context.say("restored set " + manifest.set);
        const auto datadir = std::filesystem::absolute(arguments.datadir).string();
        const bool prepared = arguments.prepare || manifest.parent;
        if (context.config.json)
            return context.print_json({{"server", manifest.server},
                                       {"set", manifest.set},
                                       {"bytes", manifest.plain_total},
                                       {"datadir", datadir},
                                       {"prepared", prepared},
                                       {"read", store.summary_json()}});
        context.out << "restored set " << manifest.set << " to " << datadir << '\n';
        if (prepared)
            context.say("Next: chown -R mysql:mysql " + datadir + ", then start a server on it.");
        else
            context.say("Next: mariadb-backup --prepare --target-dir=" + datadir);
    } catch (...) {
        home.stop_daemons();
        throw;
    }
}

}  // namespace

void add_restore_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(commands.program(), "restore", "Restore a backup set from a store",
                                     "strongroom restore --server UUID --store file:///srv/backups --home "
                                     "~/recovered --datadir /var/lib/new --prepare\n"
                                     "  strongroom restore --server UUID --store file:///srv/backups --home "
                                     "~/recovered --pipe mariadb shop\n"
                                     "  strongroom restore --server UUID --store file:///srv/backups --home "
                                     "~/recovered --table shop.orders --output orders.sql\n"
                                     "  strongroom restore --server UUID --store file:///srv/backups --home "
                                     "~/recovered --datadir /var/lib/new --until \"2026-11-22 01:37:00\"",
                                     [arguments](Context& c) { run(c, *arguments); });
    command->add_option("--server", arguments->server, "Server UUID")->required();
    command->add_option("--set", arguments->set, "Set id, or latest")->capture_default_str();
    add_store_option(*command, arguments->store);
    add_as_of_option(*command, arguments->as_of);
    add_until_options(*command, arguments->until);
    command->add_flag("--allow-load-data", arguments->until.allow_load_data,
                      "Replay LOAD DATA INFILE statements too, which may read files of this machine");
    command->add_option("--home", arguments->home, "Folder made by `strongroom recover`")
        ->required()
        ->type_name("DIR");
    command->add_option("--datadir", arguments->datadir, "Extract a physical backup into this new folder")
        ->type_name("DIR");
    command->add_flag("--prepare", arguments->prepare,
                      "Also run the backup tool's --prepare (always, for an increment)");
    command->add_flag("--pipe", arguments->pipe, "Feed the stream to COMMAND (after -- if it has options)");
    command->add_option("command", arguments->command, "Program and arguments for --pipe; no shell")
        ->type_name("COMMAND");
    command->add_flag("--stdout", arguments->to_stdout, "Write the stream to standard output");
    add_part_options(*command, arguments->part);
    command->add_flag("--one-pass", arguments->one_pass,
                      "--pipe, --stdout: read the store once, not twice. Each segment is checked before its "
                      "bytes are released, but damage found late ends the stream half-way");
    command->add_option("--workers", arguments->workers, "Parallel workers (default: one per core)")
        ->check(CLI::Range(0, 256));
    add_read_limit_option(*command, arguments->read_limit);
}

}  // namespace strongroom::client
