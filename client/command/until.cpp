#include "client/command/until.hpp"

#include "common/base/error.hpp"

namespace strongroom::client {

restore::TargetPoint UntilArguments::target() const {
    const int count = (time.empty() ? 0 : 1) + (gtid.empty() ? 0 : 1) + (position.empty() ? 0 : 1);
    if (count != 1)
        throw Error(ErrorKind::usage, "one of --until, --until-gtid and --until-position is needed, not more",
                    "For example: --until \"2026-11-22 01:37:00\", or --until latest");
    if (!gtid.empty()) return restore::parse_until_gtid(gtid);
    if (!position.empty()) return restore::parse_until_position(position);
    return restore::parse_until(time);
}

void add_until_options(CLI::App& command, UntilArguments& arguments) {
    command
        .add_option(
            "--until", arguments.time,
            "Point in time: up to the first transaction of this second or a later one (UTC, or with a "
            "zone: 2026-11-22T02:37:00+01:00); latest: all that there is")
        ->type_name("TIME");
    command.add_option("--until-gtid", arguments.gtid, "Up to this transaction of MariaDB, and with it")
        ->type_name("GTID");
    command
        .add_option("--until-position", arguments.position,
                    "Up to this byte of this binary log, where a transaction ends")
        ->type_name("FILE:OFFSET");
}

void restore_and_show_until(Context& context, const RestoreFrom& from, const UntilArguments& arguments,
                            const UntilTarget& where, PatientStore& store) {
    UntilOptions options;
    options.target = arguments.target();
    if (where.set != "latest") options.set = where.set;
    options.datadir = where.datadir;
    options.allow_load_data = arguments.allow_load_data;
    const auto done = restore_until(from, options);
    where.done();
    const auto datadir = std::filesystem::absolute(where.datadir).string();
    if (context.config.json) {
        const Json reached{{"file", done.at.file},
                           {"offset", done.at.offset},
                           {"gtid", done.gtid},
                           {"time", done.time ? Json(format_utc(*done.time)) : Json()}};
        return context.print_json({{"server", from.recovered.server},
                                   {"set", done.set},
                                   {"until", restore::text_of(options.target)},
                                   {"reached", reached},
                                   {"transactions", done.transactions},
                                   {"datadir", datadir},
                                   {"prepared", true},
                                   {"read", store.summary_json()}});
    }
    context.out << "restored set " << done.set << " and " << done.transactions
                << " transaction(s) after it, up to " << restore::text_of(done.at)
                << (done.gtid.empty() ? "" : ", GTID " + done.gtid)
                << (done.time ? ", the last of " + format_utc(*done.time) : "") << ", to " << datadir << '\n';
    context.say("Next: chown -R mysql:mysql " + datadir + ", then start a server on it.");
}

}  // namespace strongroom::client
