// The SQL text of a dump of mariadb-dump or mysqldump on its way to a target: all of it, or only what belongs
// to some tables and databases; and what is in it.
//
// A part of a dump is taken by what its statements say, never by the comments around them. What belongs to
// the server as a whole (replication, accounts, global variables) goes into no part.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/backupset/streams.hpp"
#include "common/restore/dump_statement.hpp"
#include "common/restore/table_name.hpp"

namespace strongroom::restore {

struct DumpedTable {
    TableName name;
    bool view = false;
    std::int64_t bytes = 0;  // of its statements
    std::int64_t line = 0;   // of what reaches the target: where it begins, from 1
};

struct SplitOptions {
    // Of tables of one database: without CREATE DATABASE and USE, as `mariadb-dump DATABASE TABLE` writes it;
    // whoever loads it names the database.
    bool without_database = false;
    // Says USE this instead of the one database that is wanted. It is not created.
    std::string into_database;
    bool skip_triggers = false;
};

// The comments at the beginning of a dump that say what it holds, a line each; none for all of it.
std::string announce(const Selection& selection);

class DumpSplitter : public backupset::Target, private DumpReader::Events {
  public:
    using Options = SplitOptions;
    static constexpr std::size_t max_tables = 2'000'000;

    // `inner` gets what is wanted, and is committed last; null: only to see what is there. Must outlive this.
    DumpSplitter(backupset::Target* inner, Selection wanted, Options options = {});

    // Throws Error{corrupt} for a text that is no dump. With a selection also for a statement that is not
    // understood: what it would do, nobody could say.
    void write(const char* data, std::size_t size) override;
    // Throws Error{corrupt} unless the dump ends with "-- Dump completed", and Error{not_found} naming what
    // is wanted and not there, with the nearest names.
    void commit() override;

    const std::vector<DumpedTable>& passed() const { return passed_; }  // wanted ones, in order
    const std::set<TableName>& tables() const { return tables_; }       // all tables and views
    const std::set<std::string>& databases() const { return databases_; }
    // What the dump's own first comments say that it holds (written by our agents for dumps of a part).
    const Selection& announced() const { return announced_; }
    // Throws Error{corrupt} if something of `wanted` is not there.
    void require_there(const Selection& wanted, ErrorKind kind) const;
    // Triggers among what passed whose definition names its database: they act there, wherever they are
    // loaded.
    const std::vector<std::string>& bound_triggers() const { return bound_triggers_; }
    // The last table that began at `line` of what reached the target, or before; null: none yet.
    const DumpedTable* at_line(std::int64_t line) const;

  private:
    using Role = DumpStatement::Role;

    void on_comment(std::string_view line) override;
    void on_statement(const std::vector<SqlToken>& head) override;
    void on_text(std::string_view piece) override;
    void on_end(const std::string& delimiter) override;

    enum class Fate { drop, pass, wait, create };
    Fate fate_of(const DumpStatement& statement, const std::vector<SqlToken>& head);
    Fate fate_of_setting(const std::vector<SqlToken>& head) const;
    Fate fate_of_trigger(const DumpStatement& statement);
    Fate enter_table(const DumpStatement& statement);
    bool owner_is_wanted() const;
    std::int64_t line_now() const { return wanted_.all() ? reader_.line() : line_; }
    void begin_kept(bool setting);
    void put(std::string_view text);

    backupset::Target* inner_;
    Selection wanted_;
    Options options_;
    DumpReader reader_;
    Selection announced_;
    std::set<TableName> tables_;
    std::set<std::string> databases_;
    std::vector<DumpedTable> passed_;
    std::map<TableName, std::size_t> passed_at_;                // where in passed_
    std::vector<std::pair<std::int64_t, std::size_t>> begins_;  // at which line which of passed_ goes on

    std::vector<std::string> bound_triggers_;
    std::string database_;  // in use
    enum class Owner { beginning, database, table } owner_ = Owner::beginning;
    TableName table_;      // the owner, if it is one
    bool fresh_ = false;   // a comment announced something new: settings wait for what it is
    std::string waiting_;  // those settings
    std::optional<DumpReader::Mode> waiting_mode_;  // what they set
    std::string create_;                            // CREATE DATABASE of the database in use
    Fate fate_ = Fate::drop;                        // of the statement at hand
    bool complete_ = false;                         // the last thing that came was "-- Dump completed"

    DumpReader::Mode mode_;        // in force in what reached the target
    std::string used_;             // database in use in what reached the target
    std::string delimiter_ = ";";  // in force there
    std::string needed_delimiter_ = ";";
    std::int64_t line_ = 1;
};

}  // namespace strongroom::restore
