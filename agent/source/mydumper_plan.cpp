#include "agent/source/mydumper_plan.hpp"

#include <algorithm>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/restore/mydumper_file.hpp"

namespace strongroom::agent {
namespace {

constexpr std::size_t max_pattern = 120'000;  // bytes; Linux takes 128 KiB in one argument
constexpr const char* own_schemas = "('information_schema', 'performance_schema', 'mysql', 'sys')";

// As a part of a regular expression that stands for this text and no other.
std::string literal(const std::string& name) {
    std::string out;
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '_' || (static_cast<unsigned char>(c) & 0x80U) != 0;
        out += plain ? std::string(1, c) : "\\x" + to_hex(std::string_view(&c, 1));
    }
    return out;
}

std::string literal(const restore::TableName& name) {
    return literal(name.database) + "\\." + literal(name.table);
}

template <class Names>
std::string any_of(const Names& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : "|") + literal(name);
    return "(?:" + out + ")";
}

// mydumper matches it with "DATABASE.TABLE", whatever the case unless it is told; and with "DATABASE.(null)"
// to see whether it writes CREATE DATABASE.
std::string pattern_of(const restore::DumpScope& scope) {
    std::string out = "(?-i)\\A";
    if (!scope.excluded.empty()) out += "(?!" + any_of(scope.excluded) + "\\z)";
    if (scope.wanted.all()) return out + "(?!(?:mysql|sys)\\.)";
    if (scope.wanted.tables.empty()) return out + any_of(scope.wanted.databases) + "\\.";
    return out + "(?:" + any_of(scope.wanted.tables) + "|" + any_of(scope.wanted.touched()) +
           "\\.\\(null\\))\\z";
}

using restore::MydumperFile;
using Part = MydumperFile::Part;

std::set<MydumperFile> ask_files(const restore::SqlClient& server, const restore::DumpScope& scope) {
    const std::string of_users = " NOT IN " + std::string(own_schemas);
    std::set<MydumperFile> out;
    for (const auto& row : server.ask(
             "SELECT schema_name FROM information_schema.schemata WHERE schema_name" + of_users + ";", 1))
        if (scope.wanted.all() || scope.wanted.touches(row[0])) out.insert({Part::database, {row[0], {}}});
    for (const auto& row : server.ask("SELECT table_schema, table_name, table_type FROM "
                                      "information_schema.tables WHERE table_schema" +
                                          of_users + ";",
                                      3)) {
        const restore::TableName name{row[0], row[1]};
        if (!scope.holds(name)) continue;
        out.insert({Part::structure, name});
        out.insert({row[2] == "VIEW" ? Part::view : Part::rows, name});
    }
    for (const auto& row : server.ask("SELECT event_object_schema, event_object_table FROM "
                                      "information_schema.triggers WHERE trigger_schema" +
                                          of_users + ";",
                                      2))
        if (const restore::TableName name{row[0], row[1]}; scope.holds(name))
            out.insert({Part::triggers, name});
    for (const auto& row :
         server.ask("SELECT routine_schema FROM information_schema.routines WHERE routine_schema" + of_users +
                        " UNION SELECT event_schema FROM information_schema.events WHERE event_schema" +
                        of_users + ";",
                    1))
        if (scope.wanted.all() || scope.wanted.holds_whole(row[0]))
            out.insert({Part::routines, {row[0], {}}});
    return out;
}

std::string shown(const MydumperFile& file) {
    const bool of_table = !file.name.table.empty();
    std::string out = of_table ? file.name.shown() : "database " + printable_line(file.name.database, 100);
    if (file.part == Part::rows) out = "the rows of " + out;
    if (file.part == Part::triggers) out = "the triggers of " + out;
    if (file.part == Part::routines) out = "routines and events of " + out;
    return out;
}

constexpr const char* instead = "Use source = \"mariadb-dump\", or exclude-tables.";

void require_names(const MydumperPlan& plan) {
    const auto refuse = [](const std::string& what) {
        throw Error(ErrorKind::config,
                    what +
                        " cannot be dumped by mydumper: it names its files after tables and writes names "
                        "into its questions as they are, so one with \".\", \"/\", \"-schema\", a quote or "
                        "a backslash could be taken for another",
                    instead);
    };
    for (const auto& file : plan.files)
        if (!restore::has_files_of_its_own(file.name))
            refuse(file.name.table.empty() ? "database " + printable_line(file.name.database, 100)
                                           : "table " + file.name.shown());
}

// Triggers, routines and events that would be left out, or loaded as something else, without a word: mydumper
// does not keep the sql_mode that they were made under, and knows no packages.
void require_code(const restore::SqlClient& server, const restore::DumpScope& scope) {
    const std::string modes =
        " AND (sql_mode REGEXP 'ANSI_QUOTES|NO_BACKSLASH_ESCAPES|PIPES_AS_CONCAT|HIGH_NOT_PRECEDENCE|ORACLE'";
    const std::string odd = " REGEXP '[`''\"\\\\\\\\]')";
    const std::string not_own = " NOT IN " + std::string(own_schemas);
    const auto rows = server.ask(
        "SELECT 'trigger', trigger_schema, event_object_table, trigger_name FROM information_schema.triggers "
        "WHERE trigger_schema" +
            not_own + modes + " OR trigger_name" + odd +
            "; SELECT LOWER(routine_type), routine_schema, '', routine_name FROM information_schema.routines "
            "WHERE routine_schema" +
            not_own + modes + " OR routine_type NOT IN ('PROCEDURE', 'FUNCTION') OR routine_name" + odd +
            "; SELECT 'event', event_schema, '', event_name FROM information_schema.events WHERE "
            "event_schema" +
            not_own + modes + " OR event_name" + odd + ";",
        4);
    for (const auto& row : rows) {
        const bool of_table = row[0] == "trigger";
        if (of_table && !scope.holds({row[1], row[2]})) continue;
        if (!of_table && !scope.wanted.all() && !scope.wanted.holds_whole(row[1])) continue;
        throw Error(
            ErrorKind::config,
            printable_line(row[0], 40) + " " + restore::TableName{row[1], row[3]}.shown() +
                " cannot be dumped by mydumper, which does not keep its sql_mode, or does not know its "
                "kind or its name: it would be another one, or missing",
            instead);
    }
}

}  // namespace

MydumperPlan plan_mydumper(const restore::SqlClient& server, const restore::DumpScope& scope) {
    MydumperPlan out{{}, ask_files(server, scope)};
    require_names(out);
    require_code(server, scope);
    const auto pattern = pattern_of(scope);
    out.arguments = {"--triggers", "--regex", pattern};
    if (scope.wanted.tables.empty()) out.arguments.insert(out.arguments.begin(), {"--routines", "--events"});
    // Told of one database only, it has nothing to be too early for.
    if (const auto touched = scope.wanted.touched(); touched.size() == 1)
        out.arguments.push_back("--database=" + *touched.begin());
    if (pattern.size() > max_pattern)
        throw Error(ErrorKind::config, "there are too many names for mydumper's command line",
                    "Back up whole databases (databases), or use source = \"mariadb-dump\".");
    return out;
}

void require_dumped(const restore::SqlClient& server, const MydumperPlan& plan,
                    const std::set<MydumperFile>& found) {
    std::vector<MydumperFile> missing;
    std::ranges::set_difference(plan.files, found, std::back_inserter(missing));
    if (missing.empty()) return;
    const auto there = ask_files(server, {});  // what was dropped meanwhile is not missing
    std::erase_if(missing, [&](const auto& file) { return !there.contains(file); });
    if (missing.empty()) return;
    throw Error(
        ErrorKind::source,
        "mydumper left out " + shown(missing.front()) +
            (missing.size() > 1 ? " and " + std::to_string(missing.size() - 1) + " more things" : "") +
            ", and did not say so by its exit code",
        "If it happens again: SHOW CREATE TABLE tells whether it can be read. Repair or drop it, name it in "
        "exclude-tables, or use source = \"mariadb-dump\".");
}

}  // namespace strongroom::agent
