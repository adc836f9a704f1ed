// The private folder that one proof works in, on a disk that has the space for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "agent/config/proof_config.hpp"
#include "agent/state/state_dir.hpp"
#include "common/backupset/manifest.hpp"
#include "common/base/file.hpp"
#include "common/restore/private_server.hpp"

namespace strongroom::agent {

// Bytes that proving a set needs: its files, the log that preparing and starting write, temporary tables. A
// dump holds no indexes: what it becomes is taken as three times its size; mydumper's files lie beside it.
std::int64_t space_for(const std::vector<backupset::Manifest>& chain);

class WorkFolder {
  public:
    // Removes first what a killed proof of this server left there, its database server included. Hold the
    // maintenance lock. Throws Error{storage} that names the folder, what is needed and what is free, or that
    // proof-space-limit allows less; Error{config} if the user of the private server cannot reach it.
    WorkFolder(const ProofConfig& config, const StateDir& state, const std::string& server,
               std::int64_t needed);

    std::filesystem::path data() const { return folder_.path() / "data"; }
    std::filesystem::path run() const { return folder_.path() / "run"; }
    // Gives both to the user of the private server.
    void hand_over() const;
    // Throws Error{storage} if next to nothing is free: then that is why a tool failed, not the set.
    void require_space_left() const;
    // Throws Error{storage} if something of the decrypted data stays.
    void remove() const;

  private:
    TempDir folder_;
};

}  // namespace strongroom::agent
