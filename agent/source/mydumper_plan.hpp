// What mydumper is told to dump, and what its dump must hold: it leaves out a table that it cannot read, such
// as a view of a table that is gone, and still ends with success.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/restore/dump_plan.hpp"

namespace strongroom::agent {

struct MydumperPlan {
    std::vector<std::string> arguments;
    std::set<std::string> databases;
    std::set<restore::TableName> tables;  // and views and sequences
};

// All but the server's own schemas (mysql, sys, ...), or the part that `scope` says. Throws what
// restore::plan_dump() throws, and Error{config} naming a table of which mydumper's files would not be told
// from those of others, or a trigger, routine or event that mydumper would lose or change.
MydumperPlan plan_mydumper(const restore::SqlClient& server, const restore::DumpScope& scope);

// Throws Error{source} naming a database or table of the plan that is not in `found` and that the server
// still has.
void require_dumped(const restore::SqlClient& server, const MydumperPlan& plan, const MydumperPlan& found);

}  // namespace strongroom::agent
