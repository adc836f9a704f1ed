// What mydumper is told to dump, and which files it must write: it leaves out a table that it cannot read,
// such as a view of a table that is gone, and still ends with success. And 0.10 goes on as soon as the
// databases that it has told its threads of so far were looked through, so it could miss what is in the last.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/restore/dump_plan.hpp"
#include "common/restore/mydumper_file.hpp"

namespace strongroom::agent {

struct MydumperPlan {
    std::vector<std::string> arguments;
    // One of each kind: a definition of each table, view and sequence, rows (or an empty file), the view
    // itself, triggers, routines and events, CREATE DATABASE.
    std::set<restore::MydumperFile> files;
};

// All but the server's own schemas (mysql, sys, ...), or the part that `scope` says, of which
// restore::plan_dump() has seen that the server has it. Throws Error{config} naming a table of which
// mydumper's files would not be told from those of others, or a trigger, routine or event that mydumper would
// lose or change.
MydumperPlan plan_mydumper(const restore::SqlClient& server, const restore::DumpScope& scope);

// Throws Error{source} naming the table or database of a file of the plan that is not in `found`, and that
// the server would still have written.
void require_dumped(const restore::SqlClient& server, const MydumperPlan& plan,
                    const std::set<restore::MydumperFile>& found);

}  // namespace strongroom::agent
