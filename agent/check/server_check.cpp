#include "agent/check/server_check.hpp"

#include "common/base/printable.hpp"
#include "common/term/text.hpp"

namespace strongroom::agent {
namespace {

constexpr std::int64_t least_free_percent = 5;

Finding encryption_at_rest(const proto::ServerState& state, ToolFamily family) {
    if (!state.encryption)
        return {Verdict::ok, "encryption at rest", "the server itself encrypts no data files", {}};
    const std::string& by = *state.encryption;
    if (family != ToolFamily::physical)
        return {
            Verdict::ok, "encryption at rest", by + "; a dump holds plain rows and needs no key of it", {}};
    return {
        Verdict::warn, "encryption at rest",
        "THE SERVER ENCRYPTS ITS DATA FILES (" + by +
            "): a physical backup opens only with the keys of that plug-in, and they are NOT in the backup",
        "Keep those keys, their file or the access to their key server, in another safe place, and rehearse "
        "a "
        "restore without this host; or back up with mariadb-dump."};
}

Finding replication(const proto::ServerState& state) {
    const std::string shown = shown_replication(state);
    if (state.role == "unknown")
        return {Verdict::warn, "replication", shown,
                "Until it can be seen, this host makes no backup for a group, and a replica that stands "
                "still is not noticed."};
    for (const auto& source : state.sources)
        if (source.io != "Yes" || source.sql != "Yes" || !source.behind_s)
            return {Verdict::warn, "replication", shown,
                    "A backup of it holds what it had when it stopped. SHOW REPLICA STATUS says more."};
    return {Verdict::ok, "replication", shown, {}};
}

Finding group(const proto::ServerState& state) {
    const auto fitness = fitness_for_group(state);
    const std::string name = "group " + *state.group + ": ";
    if (fitness.standing == proto::Standing::unfit)
        return {Verdict::warn, "group", name + "no backup of this host now: " + fitness.reason,
                "Another member is asked as long as this is so (docs/replicas.md)."};
    return {Verdict::ok,
            "group",
            name + (fitness.standing == proto::Standing::replica
                        ? "backed up before the primary"
                        : "not a replica: backed up only for want of a replica"),
            {}};
}

Finding free_space(const proto::ServerState& state) {
    std::string text;
    bool low = false;
    for (const auto& space : state.space) {
        text += (text.empty() ? "" : ", ") + space.of + " " + term::format_bytes(space.free) + " of " +
                term::format_bytes(space.total);
        low = low || space.free * 100 < space.total * least_free_percent;
    }
    if (low)
        return {Verdict::warn, "free space", text + ": less than 5 % is free",
                "A store that is full takes no backup, and a state folder that is full no key."};
    return {Verdict::ok, "free space", text.empty() ? "nothing to look at" : text, {}};
}

}  // namespace

std::vector<Finding> findings_of(const proto::ServerState& state, ToolFamily family) {
    std::vector<Finding> out{encryption_at_rest(state, family), replication(state)};
    if (state.group) out.push_back(group(state));
    out.push_back(free_space(state));
    if (!state.engines.empty()) {
        std::string engines;
        for (const auto& one : state.engines) engines += (engines.empty() ? "" : ", ") + one;
        out.push_back(
            {Verdict::warn, "engines", "tables without transactions: " + engines,
             family == ToolFamily::physical
                 ? "They are copied under a short lock; writes to them wait for it."
                 : "A dump does not read them at the same moment as the others: convert them to InnoDB."});
    }
    const std::string binlog = state.binlog.value_or("");
    if (binlog.ends_with("sync_binlog 0"))
        out.push_back({Verdict::warn, "binary log",
                       "sync_binlog is 0: a crash can lose what a backup counts on",
                       "SET GLOBAL sync_binlog = 1"});
    if (binlog.starts_with("STATEMENT"))
        out.push_back({Verdict::warn, "binary log",
                       "binlog_format is STATEMENT: replaying it after a restore may give other rows",
                       "Use ROW or MIXED."});
    return out;
}

}  // namespace strongroom::agent
