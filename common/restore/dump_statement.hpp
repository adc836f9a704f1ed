// What a statement of a dump is about, told by its first tokens. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/restore/dump_reader.hpp"

namespace strongroom::restore {

struct DumpStatement {
    enum class Role {
        setting,      // of the session; `name` is empty
        global,       // of the whole server: replication, global variables, accounts, its binary log
        use,          // `name` is the database
        database,     // CREATE DATABASE `name`
        drop,         // DROP DATABASE `name`
        collation,    // ALTER DATABASE, around triggers and routines
        table,        // structure or rows of the table `name`
        create,       // the same, and this is its CREATE
        create_view,  // of the view `name`, its own or the one that stands in its place for a while
        sequence,     // CREATE SEQUENCE `name`
        trigger,      // `name`, of the table that came last
        routine,      // a procedure, function, package or event of the database
        transaction,  // UNLOCK TABLES, COMMIT: of whatever stands around it
        unknown
    };
    Role role = Role::unknown;
    std::string database;  // only where the statement itself says it
    std::string name;
};

DumpStatement classify(const std::vector<SqlToken>& head);

}  // namespace strongroom::restore
