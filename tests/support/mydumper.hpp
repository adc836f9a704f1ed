// A real run of mydumper, as the agent makes it, and its files as the stream of a set.
#pragma once

#include <filesystem>

#include "common/base/bytes.hpp"
#include "tests/support/mariadb_server.hpp"

namespace strongroom::test {

// All of `server` into `folder`, which is made, in files of about a megabyte. Version 0.10 may hang: after a
// while it is ended and run once more. Throws Error{source} with what it said, Error{timeout}.
void run_mydumper(const MariadbServer& server, const std::filesystem::path& folder);

// A tar stream of the files in `folder`, by name, "metadata" last.
Bytes tar_of(const std::filesystem::path& folder);

}  // namespace strongroom::test
