#include "agent/job/chain_plan.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "agent/source/mysql_client.hpp"
#include "agent/source/redo_log.hpp"
#include "common/backupset/chain.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/log.hpp"
#include "common/maintenance/verification_log.hpp"

namespace strongroom::agent {
namespace {

std::string problem_of_state(const Host& host, const Tool& tool, const ChainState& chain) {
    if (chain.store != host.config.store) return "the chain is in another store, " + chain.store;
    if (chain.tool != tool.name || chain.tool_version != tool.version)
        return "the chain was made by another version of the backup tool, " + chain.tool_version;
    if (chain.increments >= host.config.max_chain_length)
        return "the chain has " + std::to_string(chain.increments) + " increments (max-chain-length)";
    const auto age = host.clock.now() - from_millis(chain.begun);
    if (age > std::chrono::seconds(host.config.max_chain_age))
        return "the full backup of the chain is " + format_duration(age) + " old (max-chain-age)";
    return "";
}

std::string problem_of_database(const Host& host, const ChainState& chain) {
    const auto& option_file = host.config.mysql_option_file;
    const MysqlServer server = ask_server(option_file);
    if (chain.server_version && server.version.find(*chain.server_version) == std::string::npos &&
        chain.server_version->find(server.version) == std::string::npos)
        return "the database server is of another version, " + server.version;
    if (data_files(server.datadir) != chain.data_files)
        return "the data files in " + server.datadir.string() + " are other ones (restored, or moved?)";
    const auto written = ask_redo_log(option_file).written;
    if (written < chain.lsn)
        return "the server's log is at LSN " + std::to_string(written) + ", before the " +
               std::to_string(chain.lsn) + " of the newest set (restored?)";
    return "";
}

// Objects of a set that are missing, or of another size.
std::string problem_of_objects(storage::ObjectStore& store, const backupset::Manifest& manifest) {
    std::map<std::string, std::int64_t> there;
    for (const auto& object : store.list(backupset::set_prefix(manifest.server, manifest.set)))
        there[object.key] = static_cast<std::int64_t>(object.size);
    const auto lacks = [&](const std::string& key) { return "the store lacks " + key; };
    if (const auto key = backupset::envelope_key(manifest.server, manifest.set); !there.contains(key))
        return lacks(key);
    for (const auto& segment : manifest.segments) {
        const auto key = backupset::segment_key(manifest.server, manifest.set, segment.index);
        const auto found = there.find(key);
        if (found == there.end()) return lacks(key);
        if (found->second != segment.stored_size) return key + " has another size in the store";
    }
    return "";
}

std::string problem_of_verification(const Host& host, const std::vector<backupset::Manifest>& sets) {
    const maintenance::VerificationLog log(host.state.verified_file(), host.agent.server,
                                           host.state.signers().fingerprints(), {});
    for (const auto& one : sets)
        if (const auto* entry = log.find(one.set); entry != nullptr && !entry->good())
            return "set " + one.set + " was found " + entry->result + " at " + entry->verified;
    return "";
}

std::string problem_of_sets(const Host& host, const ChainState& chain, storage::ObjectStore& store) {
    try {
        const auto newest =
            backupset::read_manifest(store, host.agent.server, chain.newest, host.state.signers());
        if (newest.position.lsn_to != chain.lsn)
            return "set " + chain.newest + " ends at another LSN than this host remembers";
        const auto sets = backupset::read_chain(store, newest, host.state.signers());
        for (const auto& one : sets)
            if (const auto problem = problem_of_objects(store, one); !problem.empty()) return problem;
        return problem_of_verification(host, sets);
    } catch (const Error& error) {
        // Who may only put cannot look; the user's verification does.
        if (error.kind() == ErrorKind::forbidden) return "";
        if (error.kind() == ErrorKind::not_found || backupset::is_about_the_data(error.kind()))
            return "the chain is broken: " + error.text();
        throw;
    }
}

}  // namespace

ChainPlan plan_increment(const Host& host, const Tool& tool, storage::ObjectStore& store) {
    if (tool.family != ToolFamily::physical)
        throw Error(ErrorKind::config, tool.name + " makes no increments",
                    "Increments need mariadb-backup or xtrabackup (source); or order full backups.");
    std::optional<ChainState> chain;
    try {
        chain = host.state.chain();
    } catch (const Error& error) {
        return {{}, "what this host remembers of the chain cannot be read: " + error.text()};
    }
    if (!chain) return {{}, "there is no full backup that this host remembers"};
    auto problem = problem_of_state(host, tool, *chain);
    if (problem.empty()) problem = problem_of_database(host, *chain);
    if (problem.empty()) problem = problem_of_sets(host, *chain, store);
    if (!problem.empty()) return {{}, problem};
    return {chain, ""};
}

bool makes_increments(const StateDir& state) {
    try {
        const auto schedules = state.schedules().schedules;
        const auto chain = state.chain();
        return (chain && chain->increments > 0) || std::ranges::any_of(schedules, [](const auto& one) {
                   return one.order.kind == "incremental";
               });
    } catch (const Error&) {
        return false;  // the next increment says what is wrong with chain.json
    }
}

void note_chain(const Host& host, const backupset::Manifest& made, const std::optional<ChainState>& on) {
    if (made.stream != "xbstream" || !made.position.lsn_to) return host.state.clear_chain();
    ChainState next;
    if (on) {
        next = *on;
        ++next.increments;
    } else {
        next.store = host.config.store;
        next.full = made.set;
        next.begun = to_millis(parse_utc(made.created));
        next.tool = made.source_tool;
        next.tool_version = made.source_version;
        next.server_version = made.server_version;
        next.data_files = data_files(ask_server(host.config.mysql_option_file).datadir);
    }
    next.newest = made.set;
    next.lsn = *made.position.lsn_to;
    host.state.save(next);
}

std::string data_files(const std::filesystem::path& datadir) {
    struct statx info {};
    const auto file = datadir / "ibdata1";
    if (::statx(AT_FDCWD, file.c_str(), 0, STATX_INO | STATX_BTIME, &info) != 0) return "";
    return std::to_string(info.stx_ino) + "." + std::to_string(info.stx_btime.tv_sec) + "." +
           std::to_string(info.stx_btime.tv_nsec);
}

}  // namespace strongroom::agent
