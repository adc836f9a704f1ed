// Whether the next backup can be an increment, and of which set. In doubt it is a full backup: an increment
// that does not fit its chain is worth nothing, and would show it on the worst day.
#pragma once

#include <optional>
#include <string>

#include "agent/job/backup_run.hpp"
#include "agent/source/tool.hpp"
#include "agent/state/chain_state.hpp"
#include "common/backupset/manifest.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::agent {

struct ChainPlan {
    std::optional<ChainState> on;  // what the increment builds on; none: a full backup
    std::string why_full;          // for people; empty if it is an increment
};

// Looks at all that an increment rests on: chain.json; length and age of the chain by the configuration; the
// same tool, database server and data files as before, whose log did not go back; every set of the chain with
// its signature, its LSNs and all its objects in the store, as far as the host's credentials may look; what
// the last verification said of them. Throws Error{config} if this host's source makes no increments, and
// what the store or the database throws if it does not answer.
ChainPlan plan_increment(const Host& host, const Tool& tool, storage::ObjectStore& store);

// Whether increments are made here: by a schedule, or in the chain so far.
bool makes_increments(const StateDir& state);

// After a commit: what the next increment builds on. A backup that is not physical ends the chain.
void note_chain(const Host& host, const backupset::Manifest& made, const std::optional<ChainState>& on);

// Inode and birth of the system tablespace: other ones after a restore, or where another data folder is used.
// Empty if it cannot be looked at.
std::string data_files(const std::filesystem::path& datadir);

}  // namespace strongroom::agent
