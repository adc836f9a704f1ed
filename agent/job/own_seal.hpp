// How this host seals whatever it seals: its keys, and what its configuration says.
#pragma once

#include "agent/job/backup_run.hpp"
#include "common/backupset/sealer.hpp"

namespace strongroom::agent {

// Hold the lock on what is sealed: then the keys stay as they are.
inline backupset::SealOptions own_seal_options(const Host& host) {
    const AgentRecord now = host.state.agent();
    backupset::SealOptions out;
    out.server = now.server;
    out.identity = now.identity;
    out.subkey = now.subkey;
    out.compression = host.config.compression;
    out.level = host.config.level;
    out.segment_size = host.config.segment_size;
    out.workers = host.config.workers;
    return out;
}

}  // namespace strongroom::agent
