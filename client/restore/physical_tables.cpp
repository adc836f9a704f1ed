#include "client/restore/physical_tables.hpp"

#include <optional>
#include <vector>

#include "client/restore/new_folder.hpp"
#include "client/restore/tablespaces.hpp"
#include "common/backupset/chain.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/restore/chain.hpp"
#include "common/restore/held_folder.hpp"
#include "common/restore/physical_tools.hpp"
#include "common/restore/server_folder.hpp"

namespace strongroom::client {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t for_logs = 256LL << 20;  // bytes, of preparing and starting
constexpr std::chrono::minutes stall{30};
constexpr const char* use_other = "Name a folder on a larger disk that others may enter: --scratch DIR.";

fs::path with_space(const RestoreFrom& from, const std::vector<backupset::Manifest>& chain,
                    const fs::path& scratch) {
    std::int64_t needed = for_logs;
    for (const auto& one : chain) needed += one.plain_total + one.plain_total / 10;
    if (!fs::is_directory(scratch))
        throw Error(ErrorKind::not_found, "there is no folder " + scratch.string(), use_other);
    remove_left(from, scratch);
    if (const auto free = restore::free_bytes(scratch); free < needed)
        throw Error(ErrorKind::storage,
                    "not enough space: the whole backup is restored for a while, which needs " +
                        std::to_string(needed >> 20) + " MiB in " + scratch.string() + ", and " +
                        std::to_string(free >> 20) + " MiB are free",
                    use_other);
    if (const auto user = restore::server_user(); user.other)
        restore::require_reachable(scratch, user, use_other);
    return scratch;
}

// A server that does not show its events would have them left out without a word.
void require_events_shown(const restore::SqlClient& server, const std::vector<std::string>& databases) {
    for (const auto& database : databases) {
        const std::string name = "CONVERT(0x" + to_hex(database) + " USING utf8mb4)";
        const auto rows = server.ask(
            "SELECT COUNT(*) FROM mysql.event WHERE db = " + name +
                "; SELECT COUNT(*) FROM information_schema.events WHERE event_schema = " + name + ";",
            1);
        if (rows.size() != 2 || rows[0] != rows[1])
            throw Error(ErrorKind::refused, "the events of database " + database + " cannot be read here",
                        "Take its tables: --table DB.TABLE; or restore all of it: --datadir.");
    }
}

}  // namespace

struct PhysicalTables::Parts {
    Parts(const RestoreFrom& given, const std::vector<backupset::Manifest>& chain, const fs::path& scratch)
        : from(given), folder(with_space(given, chain, scratch), "tables") {
        if (restore::server_user().other) fs::permissions(folder.path(), fs::perms(0711));
        for (const auto& part : {data(), run(), run() / "tmp"}) make_private_dir(part);
    }
    fs::path data() const { return folder.path() / "data"; }
    fs::path run() const { return folder.path() / "run"; }

    const RestoreFrom& from;
    restore::HeldFolder folder;
    std::optional<restore::PrivateServer> server;
    restore::DumpPlan plan;
};

PhysicalTables::PhysicalTables(const RestoreFrom& from, const backupset::Manifest& manifest,
                               const restore::Selection& wanted, const fs::path& scratch) {
    if (wanted.all())
        throw Error(ErrorKind::usage,
                    "set " + manifest.set + " is a physical backup: name what to take out of it",
                    "--table DB.TABLE or --database DB; all of it goes to --datadir DIR.");
    const auto tools = restore::tools_for(manifest);
    restore::require_tool(tools.extract);
    restore::require_tool(tools.prepare);
    restore::server_program();
    const auto chain = backupset::read_chain(from.store, manifest, from.accepted());
    parts_ = std::make_unique<Parts>(from, chain, scratch);
    from.say("restoring set " + manifest.set + " into a private folder in " + scratch.string());
    const auto idle = [&from] {
        backupset::Progress preparing;
        preparing.stage = "preparing";
        if (from.on_progress) from.on_progress(preparing);
    };
    restore::restore_chain({from.store, from.home, from.workers, from.on_progress}, chain, parts_->data(),
                           parts_->run() / "tmp", {.say = from.say, .idle = idle});
    restore::hand_over({parts_->data(), parts_->run()});
    from.say("starting a private server on it");
    using Server = restore::PrivateServer;
    // Events are read from the grant tables' schema, which a server without them does not look at.
    parts_->server.emplace(parts_->data(), parts_->run(), idle,
                           wanted.databases.empty() ? Server::Use::check : Server::Use::replay);
    const auto client = parts_->server->client();
    require_events_shown(client, wanted.databases);
    try {
        parts_->plan = restore::plan_dump(client, {wanted, {}});
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::source) throw;
        throw Error(ErrorKind::not_found, "in set " + manifest.set + ": " + error.text(), error.hint());
    }
}

PhysicalTables::~PhysicalTables() = default;

SqlFeed PhysicalTables::feed() const {
    return [parts = parts_.get()](backupset::Target& target) {
        SpawnOptions dump;
        dump.argv = {"mariadb-dump"};
        for (auto& argument : parts->server->connection()) dump.argv.push_back(std::move(argument));
        for (const char* argument : {"--single-transaction", "--triggers", "--hex-blob", "--comments",
                                     "--dump-date", "--default-character-set=utf8mb4"})
            dump.argv.emplace_back(argument);
        if (!parts->plan.scope.wanted.databases.empty())
            dump.argv.insert(dump.argv.end(), {"--routines", "--events"});
        dump.argv.insert(dump.argv.end(), parts->plan.arguments.begin(), parts->plan.arguments.end());
        backupset::ProcessSource source({.name = "mariadb-dump", .spawn = dump, .stall = stall});
        std::vector<char> buffer(1U << 20U);
        backupset::Progress progress;
        progress.stage = "dumping";
        for (;;) {
            const auto got = source.read(buffer.data(), buffer.size());
            if (got == 0) break;
            target.write(buffer.data(), got);
            progress.plain_bytes += static_cast<std::int64_t>(got);
            if (parts->from.on_progress) parts->from.on_progress(progress);
        }
        source.finish();
        target.commit();
    };
}

void PhysicalTables::require_transportable(const restore::TableName& name) const {
    client::require_transportable(parts_->server->client(), name);
}

void PhysicalTables::write_tablespaces(const fs::path& given) const {
    const fs::path folder = free_folder(given);
    remove_left(parts_->from, folder.parent_path());
    const restore::HeldFolder work(folder.parent_path(), "tablespaces");
    parts_->from.say("copying the files of the tables");
    export_tablespaces(*parts_->server, parts_->data(), parts_->plan.scope.wanted.tables, work.path());
    give_name(work.path(), folder);
}

}  // namespace strongroom::client
