// The command line of strongroom-dispatcher: its settings, commands and their help.
#pragma once

namespace strongroom::dispatcher {

inline constexpr const char* program_name = "strongroom-dispatcher";

// Parses, does what was asked for and returns the exit code. Throws Error.
int run_command(int argc, char** argv);

}  // namespace strongroom::dispatcher
