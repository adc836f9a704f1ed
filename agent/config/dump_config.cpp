#include "agent/config/dump_config.hpp"

#include "common/config/quantity.hpp"

namespace strongroom::agent {

void declare(config::Options& options, DumpConfig& config) {
    options
        .setting("--databases", config.databases,
                 "Dumps only: back up these databases, with their routines and events, instead of all")
        ->type_name("DATABASE");
    options
        .setting("--tables", config.tables,
                 "Dumps only: back up these tables and views, with their triggers, instead of databases")
        ->type_name("DATABASE.TABLE");
    options
        .setting("--exclude-tables", config.exclude_tables, "Dumps only: leave these tables and views out")
        ->type_name("DATABASE.TABLE");
    options
        .setting("--mydumper-folder", config.mydumper_folder,
                 "mydumper only: folder in memory in which its files, in plain text, wait to be encrypted")
        ->type_name("DIR");
    options
        .setting("--mydumper-memory", config.mydumper_memory,
                 "mydumper only: how much of them may wait; mydumper is held while it is more")
        ->transform(config::as_size())
        ->check(CLI::Range(std::int64_t{16} << 20, std::int64_t{1} << 40));
    options
        .setting("--mydumper-threads", config.mydumper_threads,
                 "mydumper only: connections that read tables at the same time")
        ->check(CLI::Range(1, 64));
}

}  // namespace strongroom::agent
