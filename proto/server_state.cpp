#include "proto/server_state.hpp"

#include <algorithm>

#include "common/base/ids.hpp"

namespace strongroom::proto {
namespace {

std::string named(const ReplicationSource& source) {
    if (!source.name.empty()) return "source \"" + source.name + "\"";
    return source.server_id ? "server " + std::to_string(*source.server_id) : std::string("its source");
}

// Empty: it keeps up.
std::string trouble_of(const ReplicationSource& source, std::int64_t max_lag_s) {
    const std::string why = source.error ? " (" + *source.error + ")" : std::string();
    if (source.io != "Yes") return "it does not hear from " + named(source) + ": " + source.io + why;
    if (source.sql != "Yes") return "it does not apply what " + named(source) + " sends: " + source.sql + why;
    if (!source.behind_s) return "how far it is behind " + named(source) + " is not known" + why;
    if (*source.behind_s > max_lag_s)
        return std::to_string(*source.behind_s) + " s behind " + named(source) + ", more than " +
               std::to_string(max_lag_s) + " s";
    return {};
}

std::string trouble_of(const GaleraState& galera) {
    if (galera.cluster != "Primary") return "its Galera cluster's state is " + galera.cluster;
    if (galera.node != "Synced") return "its Galera node's state is " + galera.node;
    return galera.ready ? "" : "its Galera node is not ready";
}

}  // namespace

bool is_group_name(std::string_view text) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !text.empty() && text.size() <= 64 && letter(text.front()) &&
           std::ranges::all_of(text, [&](char c) { return letter(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_replication_role(std::string_view text) {
    return is_one_of(text, {"primary", "replica", "both", "none", "unknown"});
}

const Text group_text{64, is_group_name, "a group's name (letters, digits, '.', '_', '-')"};
const Text replication_role_text{16, is_replication_role, "a known role in replication"};

Fitness fitness_for_group(const ServerState& state) {
    if (state.role == "unknown")
        return {Standing::unfit, "its replication state is not known: " + state.problem.value_or("not told")};
    if (state.galera)
        if (auto trouble = trouble_of(*state.galera); !trouble.empty())
            return {Standing::unfit, std::move(trouble)};
    for (const auto& source : state.sources)
        if (auto trouble = trouble_of(source, state.max_lag_s); !trouble.empty())
            return {Standing::unfit, std::move(trouble)};
    if (!state.sources.empty() || state.galera) return {Standing::replica, shown_replication(state)};
    if (state.read_only && state.replicas == 0)
        return {Standing::unfit,
                "it replicates from nobody and is read-only: it may be a replica that was cut off"};
    if (!state.backs_up_primary)
        return {Standing::unfit, "it is the primary, and its host makes no backup of it for its group"};
    return {Standing::primary, shown_replication(state)};
}

std::string shown_replication(const ServerState& state) {
    if (state.role == "unknown") return "not known: " + state.problem.value_or("not told");
    std::string out = state.role == "none" ? "replicates from nobody" : state.role;
    if (state.role == "both") out = "replica and primary";
    for (const auto& source : state.sources) {
        const auto trouble = trouble_of(source, INT64_MAX);
        out += trouble.empty()
                   ? ", " + std::to_string(source.behind_s.value_or(0)) + " s behind " + named(source)
                   : ", " + trouble;
    }
    if (state.replicas > 0) out += ", " + std::to_string(state.replicas) + " replica(s) connected";
    if (state.galera)
        out += ", Galera " + state.galera->node + " in " + state.galera->cluster + " of " +
               std::to_string(state.galera->size);
    if (state.read_only) out += ", read-only";
    return out;
}

}  // namespace strongroom::proto
