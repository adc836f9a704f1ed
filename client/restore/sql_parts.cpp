#include "client/restore/sql_parts.hpp"

#include "common/base/error.hpp"

namespace strongroom::client {
namespace {

constexpr std::size_t shown_tables = 20;

bool is_of_one_database(const restore::Selection& wanted) {
    return wanted.databases.empty() && wanted.touched().size() == 1;
}

std::filesystem::path require_new(const std::filesystem::path& path) {
    const auto status = std::filesystem::symlink_status(path);
    if (std::filesystem::exists(status))
        throw Error(ErrorKind::exists, path.string() + " exists already",
                    "Nothing was changed. Name a new file.");
    return std::filesystem::absolute(path);
}

}  // namespace

SqlFeed feed_of_dump(const RestoreFrom& from, const backupset::Manifest& manifest) {
    if (manifest.stream != "sql")
        throw Error(ErrorKind::usage,
                    "set " + manifest.set + " holds no SQL text, but a stream of " + manifest.source_tool,
                    "Tables are taken out of dumps of mariadb-dump or mysqldump, and of physical backups.");
    return [&from, &manifest](backupset::Target& target) {
        backupset::open_set({from.workers}, manifest, from.store, from.home, target, from.on_progress);
    };
}

void restore_part(const RestoreFrom& from, const SqlFeed& feed, const restore::Selection& wanted,
                  backupset::Target& target, bool one_pass, bool skip_triggers) {
    if (!one_pass) {
        from.say("looking through all of it before the first byte is released");
        restore::DumpSplitter look(nullptr, wanted);
        feed(look);
    }
    from.say("restoring");
    restore::DumpSplitter split(&target, wanted, {is_of_one_database(wanted), {}, skip_triggers});
    feed(split);
    if (is_of_one_database(wanted) && !split.bound_triggers().empty())
        from.say("note: the trigger " + split.bound_triggers().front() +
                 " names its database in its own definition; loaded into another one it fails, or acts there "
                 "(--skip-triggers)");
    from.say(std::to_string(split.passed().size()) + " tables and views");
    if (split.passed().size() > shown_tables) return;
    for (const auto& table : split.passed())
        from.say((table.view ? "view " : "table ") + table.name.shown() + ": " + std::to_string(table.bytes) +
                 " bytes of SQL");
}

NewFileTarget::NewFileTarget(const std::filesystem::path& path)
    : file_(require_new(path)), out_(file_.fd(), path.string()) {}

CommandTarget::CommandTarget(std::vector<std::string> command) : command_(std::move(command)) {
    if (command_.empty())
        throw Error(ErrorKind::usage, "--pipe needs a command", "For example: --pipe mariadb shop");
    if (!find_program(command_.front()))
        throw Error(ErrorKind::tool_missing,
                    "the program " + command_.front() + " of --pipe is not installed",
                    "Install it, or correct the name.");
}

backupset::ProcessTarget& CommandTarget::process() {
    if (!process_)
        process_ = std::make_unique<backupset::ProcessTarget>(backupset::ProcessTarget::Options{
            .name = command_.front(),
            .spawn = {.argv = command_, .fds = {{1, 1}}, .environment = {}, .directory = {}},
            .kind = ErrorKind::storage});
    return *process_;
}

}  // namespace strongroom::client
