// The one place where the agent's parts are put together.
#pragma once

namespace strongroom::agent {

// Parses the command line and runs the command. Returns the process exit code; throws Error. After `run` the
// caller must leave through std::_Exit (see WorkPoller).
int run_app(int argc, const char* const* argv);

}  // namespace strongroom::agent
