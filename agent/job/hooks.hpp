// Programs of this host's own configuration that run before and after each backup: a replica is stopped and
// started, a snapshot is made, somebody is told. Never a dispatcher's text (S3): which they are, only this
// host's configuration says.
#pragma once

#include "agent/config/agent_config.hpp"
#include "proto/message_parts.hpp"

namespace strongroom::agent {

// Runs hook-before, if there is one, with STRONGROOM_BACKUP=full or incremental in its environment. Throws
// Error{source} with its last words unless it ends with status 0 within hook-timeout: then no backup is
// begun.
void run_hook_before(const AgentConfig& config, bool incremental);

// Runs hook-after, if there is one, whatever came of the backup and of hook-before: `made` and no error, or
// the error. Its environment says STRONGROOM_RESULT=succeeded or failed, and STRONGROOM_SET of a set that was
// made. A failure is logged and changes nothing: the backup is what it is.
void run_hook_after(const AgentConfig& config, const proto::Backup* made) noexcept;

}  // namespace strongroom::agent
