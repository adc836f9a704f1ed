// Options that several commands have, with one text each.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace strongroom::client {

void add_store_option(CLI::App& command, std::string& url);          // --store, required
void add_kind_option(CLI::App& command, std::string& kind);          // --kind, of jobs
void add_as_of_option(CLI::App& command, std::string& time);         // --as-of
void add_identity_option(CLI::App& command, std::string& identity);  // --identity
void add_read_limit_option(CLI::App& command, std::int64_t& rate);  // --read-limit, bytes per second; 0: none

}  // namespace strongroom::client
