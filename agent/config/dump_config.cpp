#include "agent/config/dump_config.hpp"

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
}

}  // namespace strongroom::agent
