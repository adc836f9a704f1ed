// The client's one place that constructs objects.
#pragma once

namespace strongroom::client {

// Parses, runs one command, and returns the process's exit code. Throws strongroom::Error.
int run(int argc, const char* const* argv);

// True if --json stands in the arguments: errors are then JSON too.
bool wants_json(int argc, const char* const* argv);

}  // namespace strongroom::client
