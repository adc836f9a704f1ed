// What the database server of this host is and does in replication: asked of it, and put into the words of a
// report.
#pragma once

#include <string>
#include <vector>

#include "agent/config/agent_config.hpp"
#include "common/base/clock.hpp"
#include "proto/server_state.hpp"

namespace strongroom::agent {

// False: nothing can be asked (source = "command" without an option file).
bool has_database_server(const AgentConfig& config);

// Asks. Never throws for what the server or its client refuses: then the role is "unknown", and `problem`
// says why, with the GRANT that is missing. Takes as long as the server's answers (30 s each at most).
proto::ServerState ask_server_state(const AgentConfig& config, UtcTime now);

// The pure parts. Rows are columns by tab, as the client's --batch prints them.

// From lines "name<TAB>value": settings, status, plug-ins, engines (server_question).
void take_settings(proto::ServerState& state, const std::string& rows);
extern const char* const server_question;

// From the answer to SHOW ALL SLAVES STATUS, SHOW SLAVE STATUS or SHOW REPLICA STATUS with its header.
std::vector<proto::ReplicationSource> replication_sources(const std::string& rows_with_header);

// primary, replica, both, none.
std::string replication_role(const proto::ServerState& state);

}  // namespace strongroom::agent
